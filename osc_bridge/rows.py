"""What a row of the address table is made of."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["id", "int", "float", "bool", "string", "blob", "value"]
INT32: Final = 2**31 - 1
ID_BYTES: Final = 64
ROOT: Final = "/musai"


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument.  `high` of a string or a blob counts bytes; `default` makes it optional."""

    name: str
    kind: Kind
    doc: str = ""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    legal: tuple[str, ...] = ()
    default: int | float | str | bool | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """One row: `rest` is a group of arguments that repeats, at least `least` times.

    `once`: sent again with the same id, the command is answered again and not
    done again.  `last` is the reply that ends a command which went well.
    """

    path: str
    way: Literal["in", "out"]
    args: tuple[Arg, ...]
    doc: str
    rest: tuple[Arg, ...] = ()
    least: int = 0
    replies: tuple[str, ...] = ()
    once: bool = False

    @property
    def last(self) -> str:
        """The reply after which nothing more comes for this id."""
        return self.replies[-1]

    @property
    def required(self) -> int:
        """How many arguments must be there before the repeating group."""
        return sum(not arg.optional for arg in self.args)


def whole(name: str, low: float, high: float, doc: str, unit: str = "") -> Arg:
    return Arg(name, "int", doc, low, high, unit)


def text(name: str, high: int, doc: str, legal: tuple[str, ...] = ()) -> Arg:
    return Arg(name, "string", doc, 0, high, "bytes", legal)


def number(name: str, low: float, high: float, doc: str, unit: str = "") -> Arg:
    return Arg(name, "float", doc, low, high, unit)


def optional(arg: Arg, default: int | float | str | bool) -> Arg:
    return Arg(
        arg.name, arg.kind, arg.doc, arg.low, arg.high, arg.unit, arg.legal, default, optional=True
    )


COMMAND_ID: Final = Arg(
    "id", "id", "the client's id for this command: an int, or a string", 1, ID_BYTES
)
INTENT: Final = optional(
    text(
        "intent",
        500,
        "what it is for, in a sentence of its composer; kept in the ledger and shown in reports",
    ),
    "",
)
VARIETY: Final = (
    whole("takes", 0, INT32, "the session's last ones that variety is told of; 0 for none"),
    number(
        "varied_as",
        -1,
        1e6,
        "as varied as so many passages of the corpus; -1 where that is not known",
    ),
)
LIGHTS: Final = ("grey", "green", "amber", "red")


def command(
    name: str,
    doc: str,
    *args: Arg,
    replies: tuple[str, ...] = ("/musai/ack",),
    rest: tuple[Arg, ...] = (),
    least: int = 0,
    once: bool = False,
) -> Address:
    return Address(f"{ROOT}/{name}", "in", (COMMAND_ID, *args), doc, rest, least, replies, once)


def reply(name: str, doc: str, *args: Arg, rest: tuple[Arg, ...] = (), least: int = 0) -> Address:
    return Address(f"{ROOT}/{name}", "out", args, doc, rest, least)
