"""A client's side of a socket: packets out, packets in within a time."""

import socket
from typing import Final, Protocol

from osc_bridge.codec import Unslip, slip
from osc_bridge.errors import NoServer
from osc_bridge.limits import Limits
from osc_bridge.transports import READ, RECEIVE_BUFFER

SHORTEST: Final = 1e-4
"""Seconds; a timeout of 0 would mean not to wait at all."""


class Line(Protocol):
    """What a client needs of a socket; `most` is the largest packet it may send."""

    most: int

    def send(self, packet: bytes) -> None:
        """Send one packet.  Raises `OSError`."""

    def receive(self, seconds: float) -> list[bytes]:
        """Packets that come within that time, none after it.  Raises `OSError`, `NoServer`."""

    def close(self) -> None:
        """Close the socket."""


class UdpLine:
    """A UDP socket that hears only the server."""

    def __init__(self, host: str, port: int) -> None:
        self.most = Limits().datagram
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            self._socket.connect((host, port))
        except OSError:
            self._socket.close()
            raise

    def send(self, packet: bytes) -> None:
        """Send one packet."""
        self._socket.send(packet)

    def receive(self, seconds: float) -> list[bytes]:
        """The next packet, if one comes."""
        self._socket.settimeout(max(seconds, SHORTEST))
        try:
            return [self._socket.recv(READ)]
        except TimeoutError:
            return []

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class TcpLine:
    """A TCP connection with SLIP frames."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.most = Limits().frame
        self._socket = socket.create_connection((host, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames = Unslip(self.most)
        self._timeout = timeout

    def send(self, packet: bytes) -> None:
        """Send one packet."""
        self._socket.settimeout(self._timeout)
        self._socket.sendall(slip(packet))

    def receive(self, seconds: float) -> list[bytes]:
        """Packets of the next piece of the stream, if one comes."""
        self._socket.settimeout(max(seconds, SHORTEST))
        try:
            data = self._socket.recv(READ)
        except TimeoutError:
            return []
        if not data:
            raise NoServer("the server closed the connection")
        return self._frames.feed(data)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
