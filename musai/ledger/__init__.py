"""Append-only record of all that was asked, made and found.  No model, no socket, no clock."""

from musai.ledger.chain import KINDS, NAMES, Payload, Record
from musai.ledger.store import Ledger
from musai.ledger.verify import Verification, verify_file

__all__ = ["KINDS", "NAMES", "Ledger", "Payload", "Record", "Verification", "verify_file"]
