"""One page's conversation: messages in, service calls, events out.

The service hands its events to a callback on another thread; they cross to
the event loop through a queue and leave in batches, so a burst of notes is
one message on the wire.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from typing import Any

import anyio
from anyio.to_thread import run_sync as in_thread
from starlette.websockets import WebSocket, WebSocketDisconnect

from musai.errors import BadRequest, MusaiError
from musai.service.events import Compared, Event, Failed, to_plain
from musai.service.interface import ServiceLike
from musai.web import messages
from musai.web.messages import Again, Ask, Cancel, Discard, Keep, Ping, Replay, Spoken

log = logging.getLogger(__name__)

MAX_OPEN = 16
"""Requests that one page may have open at once."""

STATUS_SECONDS = 1.0


class Conversation:
    """One WebSocket, from acceptance to the end."""

    def __init__(self, service: ServiceLike, socket: WebSocket) -> None:
        self._service = service
        self._socket = socket
        self._session = f"page-{secrets.token_hex(4)}"
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._tickets: dict[int, int] = {}
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Serve until the page goes away; what it asked for and no longer wants is cancelled."""
        await self._socket.accept()
        status = await in_thread(self._service.describe)
        self._say(messages.event(None, "hello", session=self._session, status=status))
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._speak)
                group.start_soon(self._watch, status)
                await self._listen()
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                for ticket in list(self._tickets.values()):
                    await in_thread(self._service.cancel, ticket)

    async def _listen(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                text = await self._socket.receive_text()
                await self._hear(text)

    async def _speak(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                batch = [await self._out.get()]
                while not self._out.empty():
                    batch.append(self._out.get_nowait())
                await self._socket.send_text(messages.encode(batch))

    async def _watch(self, last: dict[str, Any]) -> None:
        """Tell of the service's state where it changes: loading, building, ready."""
        while True:
            await anyio.sleep(STATUS_SECONDS)
            status = await in_thread(self._service.describe)
            if status != last:
                last = status
                self._say(messages.event(None, "status", status=status))

    async def _hear(self, text: str) -> None:
        """One message; whatever is wrong with it is answered, never fatal."""
        asker: int | None = None
        try:
            if len(text) > messages.MAX_BYTES:
                raise BadRequest(f"a message has {len(text)} bytes; legal is {messages.MAX_BYTES}")
            try:
                message = messages.parse(text)
            except BadRequest:
                asker = messages.id_of(text)
                raise
            asker = getattr(message, "id", None)
            await self._do(message)
        except MusaiError as error:
            self._refuse(asker, type(error).__name__, str(error))
        except Exception:
            # A defect here must not take the other requests of the page along.
            log.exception("a page's message could not be handled")
            self._refuse(
                asker, "Unexpected", "something went wrong inside musai; its log says what"
            )

    def _refuse(self, asker: int | None, kind: str, reason: str) -> None:
        self._say(messages.event(asker, "failed", kind=kind, reason=reason))

    async def _do(self, message: Spoken) -> None:
        service = self._service
        if isinstance(message, Ask):
            request = messages.request_of(message)
            await self._start(
                message.id, lambda told: service.submit(request, told, session=self._session)
            )
        elif isinstance(message, Again):
            phrase = message.phrase
            await self._start(
                message.id, lambda told: service.again(phrase, told, session=self._session)
            )
        elif isinstance(message, Replay):
            replay = message.replay
            await self._start(message.id, lambda told: service.replay(replay, told))
        elif isinstance(message, Cancel):
            ticket = self._tickets.get(message.id)
            if ticket is not None:
                await in_thread(service.cancel, ticket)
        elif isinstance(message, Keep):
            await in_thread(service.keep, message.phrase, message.intent)
            self._say(messages.event(None, "kept", phrase_id=message.phrase))
        elif isinstance(message, Discard):
            await in_thread(service.discard, message.phrase)
            self._say(messages.event(None, "discarded", phrase_id=message.phrase))
        elif isinstance(message, Ping):
            self._say(messages.event(message.id, "pong"))

    async def _start(self, asker: int, call: Callable[[Callable[[Event], None]], int]) -> None:
        if asker in self._tickets:
            raise BadRequest(f"request {asker} is still open; legal is a new id")
        if len(self._tickets) >= MAX_OPEN:
            raise BadRequest(f"{len(self._tickets)} requests are open; legal is {MAX_OPEN}")

        def told(event: Event) -> None:
            with contextlib.suppress(RuntimeError):
                # The loop is closed when the server stops while a worker still plays.
                self._loop.call_soon_threadsafe(self._tell, asker, event)

        # The events may come before the call returns: the id is taken first.
        self._tickets[asker] = 0
        try:
            ticket = await in_thread(call, told)
        except BaseException:
            self._tickets.pop(asker, None)
            raise
        if asker in self._tickets:
            self._tickets[asker] = ticket

    def _tell(self, asker: int, event: Event) -> None:
        if isinstance(event, Compared | Failed):
            self._tickets.pop(asker, None)
        self._say({"id": asker, **to_plain(event)})

    def _say(self, event: dict[str, Any]) -> None:
        self._out.put_nowait(event)
