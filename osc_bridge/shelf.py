"""The clients that are shipped: what goes into which DAW, and where that DAW looks for it."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from musai.errors import NotFound

FOLDER = Path(__file__).with_name("clients")
_COMMAND = re.compile(r"(local MUSAI = )\[\[.*?\]\]")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A client: the host it is for, its file, its how-to, and where the host looks for such files.

    Places are relative to a folder of the platform's ("config" or "documents")
    and may hold a star for the host's version.
    """

    host: str
    file: str
    page: str
    places: Mapping[str, tuple[str, str]]


SHELF = {
    "midi": Shelved("any DAW, over MIDI, with Link or MIDI clock", "", "midi.md", {}),
    "pd": Shelved(
        "Pure Data, and every DAW through plugdata (VST3, CLAP, LV2, AU)",
        "musai.pd",
        "pd.md",
        {
            "linux": ("documents", "plugdata/Patches"),
            "darwin": ("documents", "plugdata/Patches"),
            "win32": ("documents", "plugdata/Patches"),
        },
    ),
    "ardour": Shelved(
        "Ardour 7 and later",
        "musai_ardour.lua",
        "ardour.md",
        {
            "linux": ("config", "ardour[0-9]*/scripts"),
            "darwin": ("preferences", "Ardour[0-9]*/scripts"),
            "win32": ("local", "ardour[0-9]*/scripts"),
        },
    ),
    "reaper": Shelved(
        "REAPER 6 and later",
        "musai_reaper.lua",
        "reaper.md",
        {
            "linux": ("config", "REAPER/Scripts"),
            "darwin": ("support", "REAPER/Scripts"),
            "win32": ("roaming", "REAPER/Scripts"),
        },
    ),
}
"""THE table of clients, by name."""


def shelved(name: str) -> Shelved:
    """The client of this name.  Raises `NotFound`."""
    try:
        return SHELF[name]
    except KeyError:
        raise NotFound(f"no client {name!r}; there are {', '.join(SHELF)}") from None


def homes(
    client: Shelved, platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> list[Path]:
    """The folders of this machine where the client's host looks, as far as the host is here."""
    if platform not in client.places:
        return []
    base, pattern = client.places[platform]
    root = _base(base, environment)
    first, _, rest = pattern.partition("/")
    if not root.is_dir():
        return []
    return [place / rest for place in sorted(root.glob(first)) if place.is_dir()]


def _base(name: str, environment: Mapping[str, str]) -> Path:
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())
    return {
        "config": Path(environment.get("XDG_CONFIG_HOME") or home / ".config"),
        "documents": home / "Documents",
        "preferences": home / "Library" / "Preferences",
        "support": home / "Library" / "Application Support",
        "local": Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local"),
        "roaming": Path(environment.get("APPDATA") or home / "AppData" / "Roaming"),
    }[name]


def contents(client: Shelved, command: Path | None) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of the client, its how-to and pictures; scripts know `command`'s place."""
    page = (FOLDER / client.page).read_text(encoding="utf-8")
    yield client.page, page.encode()
    for picture in re.findall(r"!\[[^]]*\]\(([^)/]+)\)", page):
        yield picture, (FOLDER / picture).read_bytes()
    if client.file:
        data = (FOLDER / client.file).read_bytes()
        if command is not None and client.file.endswith(".lua"):
            said = _COMMAND.sub(lambda found: f"{found[1]}[[{command}]]", data.decode(), count=1)
            data = said.encode()
        yield client.file, data
