"""The logs of jams: one file of JSON Lines each, written by a thread, in musai's home folder."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import musai
from osc_bridge.effects import Log

MOST: Final = 256 * 2**20
"""Bytes of one log; a jam that goes on beyond is no longer logged, and its log says so."""

log = logging.getLogger(__name__)


class JamLogs:
    """Open logs by the jam's number.  Names are made here; no client names a file."""

    def __init__(self, folder: Path | None) -> None:
        """Logs go to `folder`, made when the first jam begins; with None they are not kept."""
        self._folder = folder
        self._files: dict[int, BinaryIO] = {}
        self._thread = ThreadPoolExecutor(1, "osc-jam-logs")

    def write(self, effect: Log) -> None:
        """Queue a line."""
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
                if file is not None:
                    file.close()
                return
            if effect.jam not in self._files:
                self._files[effect.jam] = _opened(folder, effect.jam)
            file = self._files[effect.jam]
            if file.tell() < MOST:
                file.write(effect.line)
                file.flush()
        except OSError as error:
            log.error("the log of jam %d cannot be written: %s", effect.jam, error)

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


def _opened(folder: Path, number: int) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"jam-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}-{number}.jsonl"
    file = path.open("xb")
    head = {"musai_jam": 1, "version": musai.__version__, "utc": now.isoformat(timespec="seconds")}
    file.write(json.dumps(head).encode() + b"\n")
    return file
