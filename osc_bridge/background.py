"""A bridge in a thread of its own, for programs that have no loop to give."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

from musai.service.interface import ServiceLike
from musai.service.jams import Wish
from osc_bridge.server import Bridge

PATIENCE = 5.0
"""Seconds for which somebody who looks on waits for the loop."""


class BridgeThread:
    """A bridge, its loop and its thread; a context manager."""

    def __init__(self, service: ServiceLike, **options: Any) -> None:
        """Options as for `Bridge`."""
        self._service, self._options = service, options
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="osc-bridge", daemon=True)
        self.bridge: Bridge

    def start(self) -> "BridgeThread":
        """Start, and wait until the ports are taken.  Raises what `Bridge.start` raises."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def close(self) -> None:
        """Close the bridge and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __enter__(self) -> "BridgeThread":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.run(self._main())

    def _wish(self, jam: int, wish: Wish) -> str:
        done: Future[str] = Future()
        try:
            self._loop.call_soon_threadsafe(lambda: done.set_result(self.bridge.wish(jam, wish)))
            return done.result(PATIENCE)
        except (RuntimeError, TimeoutError):  # the loop has just ended, or has no time
            return "the bridge does not answer; try again"

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            self.bridge = Bridge(self._service, **self._options)
            await self.bridge.start()
            board = self._options.get("board")
            if board is not None:
                board.control = self._wish
        except BaseException as error:
            self._error = error
            return
        finally:
            self._started.set()
        await self._stop.wait()
        await self.bridge.close()
