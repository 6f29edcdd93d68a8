"""The page's server: uvicorn on a thread of its own, on loopback unless told otherwise, its socket taken first."""

import socket
import threading
from types import TracebackType

import uvicorn
from starlette.types import ASGIApp

from musai.errors import BadInput, MusaiError, check_range
from musai.web.messages import MAX_BYTES

HOST = "127.0.0.1"
PORT = 7734
_START_SECONDS = 10.0


class PageServer:
    """Serves an app from `start` (or `with`) until `close`.

    `port` 0 takes any free one.  Raises `BadInput` where the port is taken,
    at once and not later from a thread.
    """

    def __init__(self, app: ASGIApp, port: int = PORT, host: str = HOST) -> None:
        check_range("the page's port", port, 0, 65535)
        try:
            self._socket = socket.create_server((host, port), backlog=64)
        except OSError as error:
            raise BadInput(
                f"the page's port is {port}, which cannot be taken ({error}); "
                "legal is a free port, or 0 for any"
            ) from None
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is who is connected
            ws="websockets-sansio",
            ws_max_size=4 * MAX_BYTES,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="musai-page", daemon=True)

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"http://{HOST}:{self.port}/"

    def start(self) -> "PageServer":
        """Serve; returns when the server answers."""
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_START_SECONDS / 0.01)):
            if self._server.started:
                return self
            if not self._thread.is_alive():
                break
            waited.wait(0.01)
        raise MusaiError(f"the page's server did not start on port {self.port}")

    def close(self) -> None:
        """Stop; open pages are told so by their closing socket."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(5)
        self._socket.close()

    def __enter__(self) -> "PageServer":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
