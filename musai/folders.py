"""Where musai keeps its things: one home folder per user, or $MUSAI_HOME.

::

    <home>/corpora/<name>/    a corpus and its index
    <home>/models/<name>/     models trained here
    <home>/ledger/            the ledger
    <home>/server.json        addresses of the running server
"""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The home folder; not created here."""
    chosen = os.environ.get("MUSAI_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("musai", appauthor=False))


def ledger_file(place: Path | None = None) -> Path:
    """The ledger of a home folder, by default the user's; not created here."""
    return (home() if place is None else place) / "ledger" / "ledger.sqlite"
