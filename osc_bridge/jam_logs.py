"""The logs of jams: one file of JSON Lines each, written by a thread, in musai's home folder."""

import json
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import musai
from musai.service.jams import JamBoard
from osc_bridge.effects import Log

MOST: Final = 256 * 2**20
"""Bytes of one log; a jam that goes on beyond is no longer logged, and its log says so."""

DAY: Final = 86_400.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """How long logs are kept: so many days, and no more than so many MiB, the newest first."""

    days: float = 30.0
    mib: float = 1024.0

    def outdated(self, logs: Iterable[tuple[Path, float, int]], now: float) -> list[Path]:
        """Which of these (path, time of the last change, bytes) are to go."""
        gone, total = [], 0
        for path, changed, size in sorted(logs, key=lambda one: (-one[1], one[0].name)):
            total += size
            if now - changed > self.days * DAY or total > self.mib * 2**20:
                gone.append(path)
        return gone


class JamLogs:
    """Open logs by the jam's number.  Names are made here; no client names a file."""

    def __init__(
        self, folder: Path | None, kept: Kept | None = None, board: JamBoard | None = None
    ) -> None:
        """Logs go to `folder`, made when the first jam begins; with None they are not kept.

        Old ones are removed when a jam begins, by `kept`; those still open stay.
        `board` is shown every line at once.
        """
        self._folder, self._board = folder, board
        self._kept = kept or Kept()
        self._paths: dict[int, Path] = {}
        self._files: dict[int, BinaryIO] = {}
        self._thread = ThreadPoolExecutor(1, "osc-jam-logs")

    def write(self, effect: Log) -> None:
        """Show a line, and queue it for the file."""
        if self._board is not None:
            self._board.write(effect.jam, effect.line)
        if self._folder is not None:
            self._thread.submit(self._write, self._folder, effect)

    def close(self) -> None:
        """Write what is queued and close all."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)

    def _write(self, folder: Path, effect: Log) -> None:
        try:
            if not effect.line:
                file = self._files.pop(effect.jam, None)
                self._paths.pop(effect.jam, None)
                if file is not None:
                    file.close()
                return
            if effect.jam not in self._files:
                self._tidy(folder)
                file, path = _opened(folder, effect.jam)
                self._files[effect.jam], self._paths[effect.jam] = file, path
            file = self._files[effect.jam]
            if file.tell() < MOST:
                file.write(effect.line)
                file.flush()
        except OSError as error:
            log.error("the log of jam %d cannot be written: %s", effect.jam, error)

    def _tidy(self, folder: Path) -> None:
        """Remove what has been kept long enough; a file that cannot be removed stays."""
        found = []
        for path in folder.glob("jam-*.jsonl"):
            with suppress(OSError):
                told = path.stat()
                found.append((path, told.st_mtime, told.st_size))
        for path in self._kept.outdated(found, datetime.now(UTC).timestamp()):
            if path not in self._paths.values():
                with suppress(OSError):
                    path.unlink()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


def _opened(folder: Path, number: int) -> tuple[BinaryIO, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"jam-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}-{number}.jsonl"
    file = path.open("xb")
    head = {"musai_jam": 1, "version": musai.__version__, "utc": now.isoformat(timespec="seconds")}
    file.write(json.dumps(head).encode() + b"\n")
    return file, path
