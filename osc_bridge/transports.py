"""Where packets come from and go to: a base, UDP, TCP with SLIP, and memory.

A transport hands whole packets to a `Receiver` and sends whole packets; it knows
nothing of OSC.  All belong to one running asyncio loop, of any kind (selector or
Windows' proactor).  Ports are bound on one address, never shared.
"""

import asyncio
import contextlib
import errno
import socket
import sys
from abc import ABC, abstractmethod
from typing import Final, Protocol

from osc_bridge.codec import Unprefix, Unslip, prefixed, slip
from osc_bridge.effects import Peer
from osc_bridge.errors import PortTaken

READ: Final = 65_536
DRAIN: Final = 256
"""Datagrams read at once, so that a burst waits in our memory and not in the kernel's small one."""
RECEIVE_BUFFER: Final = 4 * 2**20
"""Bytes asked of the kernel; it may give less."""
MAX_CONNECTIONS: Final = 128
MAX_UNSENT: Final = 32 * 2**20
"""Bytes that may wait for a reader over TCP; one that reads slower is cut off."""

_TAKEN: Final = (errno.EADDRINUSE, errno.EACCES, getattr(errno, "WSAEADDRINUSE", None), 10013)


class Receiver(Protocol):
    """Who takes the packets."""

    def packet(self, peer: Peer, packet: bytes) -> None:
        """One packet came from `peer`; called in the loop's thread."""

    def gone(self, peer: Peer) -> None:
        """The connection of `peer` is closed."""

    def full(self, peer: Peer) -> bool:
        """Whether the stream from `peer` should wait before it hands in more."""


class Transport(ABC):
    """The base: `open` before anything else, `close` last."""

    @abstractmethod
    async def open(self, receiver: Receiver) -> str:
        """Start; returns the address as an OSC URL.  Raises `PortTaken`."""

    @abstractmethod
    def send(self, peer: Peer, packet: bytes) -> bool:
        """Send a packet; False where `peer` is none of this transport's."""

    @abstractmethod
    async def close(self) -> None:
        """Stop, after what was sent is out."""


class MemoryTransport(Transport):
    """Packets in memory: `inject` what a client would send, read `sent`."""

    def __init__(self) -> None:
        self.sent: list[tuple[Peer, bytes]] = []
        self._receiver: Receiver | None = None

    async def open(self, receiver: Receiver) -> str:
        """Start; returns an address that no socket has."""
        self._receiver = receiver
        return "osc.memory://0/"

    def inject(self, client: int, packet: bytes) -> None:
        """A packet from client number `client`."""
        assert self._receiver is not None, "open the transport first"
        self._receiver.packet(Peer("memory", "memory", client), packet)

    def send(self, peer: Peer, packet: bytes) -> bool:
        """Keep the packet in `sent`."""
        if peer.kind != "memory":
            return False
        self.sent.append((peer, packet))
        return True

    async def close(self) -> None:
        """Nothing to stop."""


class UdpTransport(Transport, asyncio.DatagramProtocol):
    """Datagrams on one port, replies from the same port."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._receiver: Receiver | None = None
        self._socket: socket.socket | None = None
        self._endpoint: asyncio.DatagramTransport | None = None
        self._reopening: asyncio.Task[None] | None = None

    async def open(self, receiver: Receiver) -> str:
        """Bind the port."""
        self._receiver = receiver
        await self._bind()
        return f"osc.udp://{self._host}:{self._port}/"

    async def _bind(self) -> None:
        self._socket = bound(socket.SOCK_DGRAM, self._host, self._port)
        self._port = self._socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._endpoint, _ = await loop.create_datagram_endpoint(lambda: self, sock=self._socket)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand in this datagram and all that wait behind it."""
        assert self._receiver is not None
        assert self._socket is not None
        self._receiver.packet(Peer("udp", addr[0], addr[1]), data)
        if sys.platform == "win32":
            return  # the proactor has a read of its own under way
        for _ in range(DRAIN):
            try:
                data, addr = self._socket.recvfrom(READ)
            except OSError:
                return
            self._receiver.packet(Peer("udp", addr[0], addr[1]), data)

    def error_received(self, exc: Exception) -> None:
        """A port that was written to is closed.

        Before Python 3.11.9 the proactor loop stops reading then, so the
        endpoint is made anew on the same port.
        """
        if sys.platform == "win32" and self._reopening is None:
            self._reopening = asyncio.get_running_loop().create_task(self.reopen())

    async def reopen(self) -> None:
        """Close the socket and bind its port again."""
        assert self._endpoint is not None
        self._endpoint.abort()
        await asyncio.sleep(0)
        await self._bind()
        self._reopening = None

    def send(self, peer: Peer, packet: bytes) -> bool:
        """Send a datagram; the kernel may drop it."""
        if peer.kind != "udp" or self._endpoint is None:
            return False
        self._endpoint.sendto(packet, (peer.host, peer.port))
        return True

    async def close(self) -> None:
        """Free the port."""
        if self._endpoint is not None:
            self._endpoint.close()
            await asyncio.sleep(0)


class TcpTransport(Transport):
    """Streams, one client a connection: SLIP frames (OSC 1.1), or lengths in front (OSC 1.0).

    A packet that begins with its length begins with a zero byte, a SLIP frame
    never does; replies are framed as the client's packets are.
    """

    def __init__(self, host: str, port: int, most: int) -> None:
        self._host, self._port, self._most = host, port, most
        self._receiver: Receiver | None = None
        self._server: asyncio.Server | None = None
        self._writers: dict[Peer, asyncio.StreamWriter] = {}
        self._lengths: set[Peer] = set()

    async def open(self, receiver: Receiver) -> str:
        """Bind the port."""
        self._receiver = receiver
        listening = bound(socket.SOCK_STREAM, self._host, self._port)
        self._port = listening.getsockname()[1]
        self._server = await asyncio.start_server(self._serve, sock=listening)
        return f"osc.tcp://{self._host}:{self._port}/"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._receiver is not None
        host, port = writer.get_extra_info("peername")[:2]
        peer = Peer("tcp", host, port)
        if len(self._writers) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._writers[peer] = writer
        try:
            with contextlib.suppress(OSError):
                await self._read(self._receiver, peer, reader)
        finally:
            del self._writers[peer]
            self._lengths.discard(peer)
            self._receiver.gone(peer)
            writer.close()

    async def _read(self, receiver: Receiver, peer: Peer, reader: asyncio.StreamReader) -> None:
        frames: Unslip | Unprefix | None = None
        while data := await reader.read(READ):
            if frames is None and data.startswith(b"\0"):
                self._lengths.add(peer)
                frames = Unprefix(self._most)
            frames = frames or Unslip(self._most)
            for packet in frames.feed(data):
                receiver.packet(peer, packet)
            while receiver.full(peer):
                await asyncio.sleep(0.001)

    def send(self, peer: Peer, packet: bytes) -> bool:
        """Queue a packet on its connection; a reader far behind is cut off."""
        writer = self._writers.get(peer)
        if writer is None or writer.is_closing():
            return peer.kind == "tcp"
        writer.write(prefixed(packet) if peer in self._lengths else slip(packet))
        if writer.transport.get_write_buffer_size() > MAX_UNSENT:
            writer.transport.abort()
        return True

    async def close(self) -> None:
        """Close all connections and free the port."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers.values()):
            writer.close()
        for _ in range(50):
            if not self._writers:
                break
            await asyncio.sleep(0.01)
        for writer in list(self._writers.values()):
            writer.transport.abort()  # its reader is stuck
        await self._server.wait_closed()


def bound(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    """A socket on this port and no other program's.  Raises `PortTaken`; port 0 is any free one."""
    # The protocol is named so that asyncio knows TCP and turns Nagle's delay off.
    stream = kind == socket.SOCK_STREAM
    made = socket.socket(socket.AF_INET, kind, socket.IPPROTO_TCP if stream else 0)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif stream:
            # On POSIX this only passes over connections that are closing.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not stream:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        made.bind((host, port))
        if stream:
            made.listen(MAX_CONNECTIONS)
        made.setblocking(False)
    except OSError as error:
        made.close()
        name = "TCP" if stream else "UDP"
        if error.errno in _TAKEN:
            raise PortTaken(
                f"{name} port {port} of {host} is taken by another program: stop it (it may be "
                "another musai serve) or choose another port"
            ) from error
        raise
    return made
