"""server.json: where the running server is to be found."""

import contextlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import musai
from osc_bridge.errors import NoServer

START_IT = "start it with: musai serve"


class ServerRecord:
    """Written when a server has its ports, removed when it closes."""

    def __init__(self, path: Path, extra: Mapping[str, Any]) -> None:
        self._path = path
        self._extra = extra
        self._written = ""

    def write(self, addresses: Mapping[str, str]) -> None:
        """Write the addresses, whole or not at all."""
        values = {
            "pid": os.getpid(),
            "version": musai.__version__,
            "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "osc": dict(addresses),
            **self._extra,
        }
        self._written = json.dumps(values, indent=1) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        beside.write_text(self._written, encoding="utf-8")
        beside.replace(self._path)

    def remove(self) -> None:
        """Remove it, unless another server has written its own since."""
        with contextlib.suppress(OSError):
            if self._path.read_text(encoding="utf-8") == self._written:
                self._path.unlink()


def find(path: Path) -> tuple[str, int]:
    """Host and TCP port of the server that `path` tells of.  Raises `NoServer`."""
    try:
        url = urlsplit(json.loads(path.read_text(encoding="utf-8"))["osc"]["tcp"])
        host, port = url.hostname, url.port
    except FileNotFoundError:
        raise NoServer(f"no server runs (no {path}); {START_IT}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoServer(f"{path} does not say where a server is ({error}); {START_IT}") from error
    if host is None or port is None:
        raise NoServer(f"{path} does not say where a server is; {START_IT}")
    return host, port
