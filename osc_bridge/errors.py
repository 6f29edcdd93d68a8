"""Errors of the bridge, leaves of the tree in `musai.errors`.

::

    MusaiError
    └── BridgeError        OSC did not go as asked
        ├── PortTaken      another program has the port
        ├── NoServer       nobody answers where a server should be
        ├── NoAnswer       the server fell silent within the time allowed
        └── Refused        the server answered with /musai/error; `code` and `text` are its words
"""

from typing import ClassVar, Final

from musai.errors import MusaiError


class BridgeError(MusaiError):
    """OSC did not go as asked."""


class PortTaken(BridgeError):
    """Another program has the port."""

    exit_code: ClassVar[int] = 2


class NoServer(BridgeError):
    """Nobody answers where a server should be."""

    exit_code: ClassVar[int] = 3


class NoAnswer(BridgeError):
    """The server fell silent within the time allowed."""


class Refused(BridgeError):
    """The server answered with an error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


CODES: Final[dict[str, str]] = {
    "bad_packet": "the packet is cut short, overlong or not OSC where it should be",
    "bad_type": "an argument has a type that its place does not take",
    "bad_count": "too few or too many arguments",
    "bad_value": "an argument is outside its legal range, NaN or infinite",
    "bad_request": "the values are legal each but not together",
    "unknown_address": "no such address",
    "hello_first": "say /musai/hello before anything else",
    "bad_token": "a client on another machine must present the server's token in hello",
    "no_link": "Ableton Link is not installed here; pip install musai[daw] brings it",
    "linked": "the session follows Ableton Link, which tells its transport; /musai/link ends that",
    "id_reused": "this id already names another command of this client",
    "busy": "a limit is reached; try again when something has ended",
    "too_large": "a packet, a list or an upload is larger than its limit",
    "too_far": "the timetag is further ahead than the limit",
    "late": "the timetag is further back than the limit",
    "checksum": "the upload is not what its checksum says; send it again",
    "timeout": "the chunks asked for did not come; the upload is forgotten",
    "replaced": "another upload began before this one was whole",
    "no_context": "continue and answer need a context first",
    "no_jam": "this client takes part in no jam",
    "not_found": "no such take, phrase or replay",
    "not_allowed": "the owner's terms do not allow this",
    "altered": "the record is no longer what its hash says",
    "cancelled": "stopped, as asked",
    "worker_died": "a worker process ended with this in hand; ask again",
    "closed": "the server is closing",
    "internal": "a fault of the server; it is in its log",
}
"""Code words of `/musai/error`."""
