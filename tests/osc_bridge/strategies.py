"""Messages drawn from the table itself."""

from hypothesis import strategies as st

from osc_bridge.addresses import TABLE
from osc_bridge.messages import Message
from osc_bridge.rows import INT32, Address, Arg

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
_SHORT_IDS = st.one_of(
    st.integers(-INT32 - 1, INT32), st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=64)
)  # fmt: skip


def _decimal(number: float) -> float:
    """Near `number`, with the digits that 32 bits keep."""
    return float(f"{number:.6g}") if abs(number) > 1e-30 else 0.0


def values(arg: Arg) -> st.SearchStrategy:
    """What an argument may hold, floats as 32 bits can carry them."""
    low, high = arg.low, arg.high
    match arg.kind:
        case "id":
            return _SHORT_IDS
        case "int":
            return st.integers(int(low), int(high))
        case "float":
            ends = {"min_value": float(low), "max_value": float(high), "allow_subnormal": False}
            return st.floats(**ends).map(lambda x: min(max(_decimal(x), low), high))
        case "bool":
            return st.booleans()
        case "string" if arg.legal:
            return st.sampled_from(arg.legal)
        case "string":
            fits = _TEXT.filter(lambda s: (low or 0) <= len(s.encode()) <= high)
            return st.just("x" * int(low)) | fits
        case "blob":
            return st.binary(min_size=1, max_size=40)
        case "value":
            return st.one_of(st.integers(-INT32 - 1, INT32), _TEXT, st.none(), st.booleans())
    raise AssertionError(arg.kind)


@st.composite
def messages(draw: st.DrawFn, row: Address) -> Message:
    """A message that `row` allows; optional arguments are there or, from some place on, not."""
    kept = draw(st.integers(row.required, len(row.args))) if not row.rest else len(row.args)
    args = [draw(values(arg)) for arg in row.args[:kept]]
    groups = draw(st.integers(row.least, 4)) if row.rest else 0
    args += [draw(values(arg)) for _ in range(groups) for arg in row.rest]
    return Message(row.path, tuple(args))


ROWS = st.sampled_from(list(TABLE.values()))
ANY = ROWS.flatmap(messages)
COMMANDS = ROWS.filter(lambda row: row.way == "in").flatmap(messages)


@st.composite
def mutated(draw: st.DrawFn, packets: st.SearchStrategy[bytes]) -> bytes:
    """A packet with some bytes changed, cut out, doubled or put in."""
    packet = bytearray(draw(packets))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(packet) - 1)))
        size = draw(st.integers(1, 8))
        match draw(st.sampled_from(["flip", "cut", "double", "put"])):
            case "flip" if packet:
                packet[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del packet[at : at + size]
            case "double":
                packet[at:at] = packet[at : at + size]
            case _:
                packet[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(packet)
