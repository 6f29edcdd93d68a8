"""What somebody who looks on wishes of a jam, checked by the same tables as a client's commands."""

from typing import Any, Final

from musai.service.jams import PlayAgain, PlayLike, Silence, Wish, YourTurn
from osc_bridge import jam_steps as s
from osc_bridge.addresses import PARAMETERS
from osc_bridge.asks import parameter, wire
from osc_bridge.jam_addresses import JAM_PARAMETERS
from osc_bridge.jamming import LEFT_OUT, Seat, configure
from osc_bridge.messages import Wrong, check
from osc_bridge.settings import sendable

OWN: Final = {name: arg for name, arg in JAM_PARAMETERS.items() if name != "voice"}
"""What a jam takes for all who play; `voice` is each client's own."""

WISHES: Final = {name: arg for name, arg in PARAMETERS.items() if name not in (*LEFT_OUT, *OWN)}
"""What its answers take."""


def wished(seat: Seat, now: float, wish: Wish) -> None:
    """Do it.  Raises `Wrong` where it cannot be; then nothing was done."""
    match wish:
        case PlayAgain():
            if seat.jam.named(wish.take, back=wish.how == "back") is None:
                raise Wrong(
                    "not_found", f"take {wish.take} is none of this jam's that can be played"
                )
            seat.feed(now, s.Again(wish.take, wish.how))
        case YourTurn():
            seat.feed(now, s.Turn())
        case Silence():
            seat.feed(now, s.Panic())
        case PlayLike():
            _retune(seat, now, wish.values)


def _retune(seat: Seat, now: float, values: dict[str, Any]) -> None:
    """New parameters; each client of the jam has them as if it had set them itself."""
    own: dict[str, Any] = {}
    wishes: dict[str, Any] = {}
    for name, value in values.items():
        if name in OWN:
            own[name] = check(OWN[name], value)
        elif name in WISHES:
            wishes[name] = parameter(name, value)
        else:
            legal = ", ".join((*OWN, *WISHES))
            raise Wrong("bad_value", f"{name[:40]!r} is no parameter of a jam; legal is {legal}")
    sessions = [member.session for member in seat.members.values()]
    for session in sessions:
        for name, value in wishes.items():
            if value is None:
                session.values.pop(name, None)
            else:
                session.values[name] = value
            session.news(name, sendable(wire(name, value)))
    configure(seat, now, sessions[-1], own)
