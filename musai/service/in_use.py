"""The corpora that somebody brought into use from the desk: they are in use again after a new start."""

import json
from pathlib import Path

from musai.files import write_whole
from musai.service.shelves import Shelves

FILE = "in-use.json"


def kept(home: Path) -> tuple[str, ...]:
    """Names of corpora brought into use in this home that are still here, in that order."""
    try:
        names = json.loads((home / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    here = Shelves(home).names
    return tuple(name for name in names if name in here) if isinstance(names, list) else ()


def keep(home: Path, name: str) -> None:
    """Remember one more.  Raises `NoSpace`, `BadInput` where that cannot be written."""
    names = kept(home)
    if name not in names:
        write_whole(home / FILE, json.dumps([*names, name]).encode())
