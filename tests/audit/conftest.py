"""A desk with a ledger of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.takes import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    held = Desk(tmp_path / "ledger.sqlite")
    yield held
    held.ledger.close()
