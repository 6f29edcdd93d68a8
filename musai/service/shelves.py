"""Corpora kept open: each is read again only where its files have changed.

A catalogue of ten thousand works takes a tenth of a second to read, so a page
that lists works must not read it each time.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from musai.corpus import Corpus
from musai.corpus.corpus import checked_name, names_in
from musai.corpus.store import CATALOGUE
from musai.errors import Altered, MusaiError, NotFound

Stamp = tuple[int, int, int]


class Shelves:
    """The corpora of one home.  Any thread may call any method."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._held: dict[Path, tuple[Stamp, Corpus]] = {}
        self._made: dict[tuple[Path, str], tuple[Stamp, Any]] = {}
        self._making: dict[tuple[Path, str], threading.Lock] = {}

    @property
    def names(self) -> list[str]:
        """Names of the corpora that are here, sorted."""
        return names_in(self.home / "corpora")

    def folder(self, name: str) -> Path:
        """Where a corpus of this name lies, or would.  Raises `BadInput`."""
        return self.home / "corpora" / checked_name(name)

    def corpus(self, name: str) -> Corpus:
        """A corpus by name, as it is on disk now.  Raises `NotFound`, `Altered`, `BadInput`."""
        return self.at(self.folder(name))

    def at(self, folder: Path) -> Corpus:
        """A corpus by its folder, as it is on disk now."""
        stamp = stamp_of(folder)
        with self._lock:
            held = self._held.get(folder)
            if held is not None and held[0] == stamp:
                return held[1]
        opened = Corpus.open(folder)
        with self._lock:
            self._held[folder] = (stamp, opened)
        return opened

    def made(self, name: str, what: str, make: Callable[[Corpus], Any]) -> Any:
        """Something made from a corpus, kept until the corpus changes.

        Who asks while another makes it waits for that one.
        """
        key = self.folder(name), what
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            corpus = self.corpus(name)
            stamp = stamp_of(corpus.path)
            with self._lock:
                held = self._made.get(key)
            if held is not None and held[0] == stamp:
                return held[1]
            value = make(corpus)
            with self._lock:
                self._made[key] = (stamp, value)
        return value

    def known(self, name: str, what: str) -> Any:
        """What `made` has kept under this name and still holds, or None."""
        folder = self.folder(name)
        with self._lock:
            held = self._made.get((folder, what))
        return held[1] if held is not None and held[0] == stamp_of(folder) else None

    def all(self) -> list[Corpus]:
        """Every corpus that can be opened; one that cannot is passed over."""
        found = []
        for name in self.names:
            try:
                found.append(self.corpus(name))
            except MusaiError:
                continue
        return found


def stamp_of(folder: Path) -> Stamp:
    """What changes whenever the catalogue in a folder does.  Raises `NotFound`."""
    try:
        # Each change replaces the catalogue, so that the file itself is another one.
        about = (folder / CATALOGUE).stat()
    except FileNotFoundError:
        raise NotFound(f"there is no corpus {folder.name!r} ({folder} has no catalogue)") from None
    except OSError as error:
        raise Altered(f"{folder} cannot be read: {error.strerror or error}") from None
    return about.st_mtime_ns, about.st_size, about.st_ino
