"""Messages, and their check against the table in both directions.

Reading is strict about counts and ranges and lenient about one thing: a number
may come as int or float where its value allows (7.0 is the int 7, 120 the float
120.0) and a truth value as T, F, 0 or 1.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from osc_bridge.addresses import TABLE
from osc_bridge.rows import ID_BYTES, INT32, Address, Arg

Value = int | float | str | bytes | bool | None
Id = int | str

NO_ID: Final = "?"
"""Stands for the id of a command whose id could not be read."""


@dataclass(frozen=True, slots=True)
class Message:
    """An address and its arguments, before or after the check."""

    path: str
    args: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a packet, or one message of it, cannot be used; `path` is "" where none was read."""

    code: str
    text: str
    path: str = ""
    id: Id = NO_ID


@dataclass(frozen=True, slots=True)
class Command:
    """A message that its row allows: arguments by name, and the groups that repeat."""

    row: Address
    id: Id
    args: dict[str, Any]
    rest: tuple[tuple[Any, ...], ...] = ()
    message: Message = field(default=Message(""), compare=False)


class Wrong(ValueError):
    """An argument that its row does not allow."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def read(message: Message) -> Command | Fault:
    """The command that `message` is, or what is wrong with it."""
    given = id_of(message.args[:1])
    row = TABLE.get(message.path)
    if row is None:
        return Fault(
            "unknown_address", "no such address; docs/osc.md lists them", message.path, given
        )
    try:
        args, rest = _sorted(row, message.args)
    except Wrong as wrong:
        return Fault(wrong.code, str(wrong), message.path, given)
    return Command(row, given, args, rest, message)


def write(path: str, *args: Value, rest: Iterable[Sequence[Value]] = ()) -> Message:
    """A message to send, checked against its row; texts too long are cut.

    Raises `Wrong` (a ValueError) where a value is not what the row says.
    """
    row = TABLE[path]
    kinds = row.args[: len(args)]
    whole = [_outward(arg, value) for arg, value in zip(kinds, args, strict=True)]
    if len(args) < row.required:
        raise Wrong("bad_count", f"{path} has {len(args)} arguments; legal is {row.required}")
    for group in rest:
        whole += [_outward(arg, value) for arg, value in zip(row.rest, group, strict=True)]
    return Message(path, tuple(whole))


def id_of(args: Sequence[Value]) -> Id:
    """The id that these arguments begin with, `NO_ID` where they begin with none."""
    try:
        return _as_id("id", args[0] if args else None)
    except Wrong:
        return NO_ID


def _sorted(
    row: Address, values: tuple[Value, ...]
) -> tuple[dict[str, Value], tuple[tuple[Value, ...], ...]]:
    fixed, width = len(row.args), len(row.rest)
    groups = max(0, len(values) - fixed) / width if width else 0
    if len(values) < row.required or groups != int(groups) or groups < row.least:
        raise Wrong("bad_count", f"{len(values)} arguments; legal is {usage(row)}")
    if not width and len(values) > fixed:
        raise Wrong("bad_count", f"{len(values)} arguments; legal is {usage(row)}")
    args: dict[str, Value] = {arg.name: arg.default for arg in row.args[len(values) :]}
    for arg, value in zip(row.args, values, strict=False):
        args[arg.name] = check(arg, value)
    rest = tuple(
        tuple(check(arg, value) for arg, value in zip(row.rest, values[i : i + width], strict=True))
        for i in range(fixed, len(values), width or 1)
    )
    return args, rest


def usage(row: Address) -> str:
    """How a row is written: optional arguments in brackets, the repeating group with its least."""
    words = [f"[{arg.name}]" if arg.optional else arg.name for arg in row.args]
    if row.rest:
        group = " ".join(arg.name for arg in row.rest)
        words.append(f"({group}){'+' if row.least else '*'}")
    return " ".join(words)


def check(arg: Arg, value: Value) -> Value:
    """`value` as the kind that `arg` is; raises `Wrong` naming the value and what is legal."""
    match arg.kind:
        case "id":
            return _as_id(arg.name, value)
        case "int":
            return _ranged(arg, _as_int(arg.name, value))
        case "float":
            return _ranged(arg, _as_float(arg.name, value))
        case "bool":
            return _as_bool(arg.name, value)
        case "string":
            return _as_text(arg, value)
        case "blob":
            return _as_blob(arg, value)
    return value  # of kind "value": whoever takes it checks it


def _as_id(name: str, value: Value) -> Id:
    if isinstance(value, str):
        if not 1 <= len(value.encode()) <= ID_BYTES:
            raise Wrong(
                "bad_value", f"{name} has {len(value.encode())} bytes; legal is 1 to {ID_BYTES}"
            )
        return value
    number = _as_int(name, value, "an int or a string")
    if not -INT32 - 1 <= number <= INT32:
        raise Wrong("bad_value", f"{name} is {number}; legal is an int of 32 bits")
    return number


def _as_int(name: str, value: Value, legal: str = "an int") -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("bad_type", f"{name} is {_kind(value)}; legal is {legal}")
    if isinstance(value, float) and not value.is_integer():
        raise Wrong("bad_type", f"{name} is {value:g}; legal is {legal}")
    return int(value)


def _as_float(name: str, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("bad_type", f"{name} is {_kind(value)}; legal is a float")
    if not math.isfinite(value):
        raise Wrong("bad_value", f"{name} is {value}; legal is a finite number")
    return float(value)


def _ranged(arg: Arg, number: int | float) -> int | float:
    if (arg.low is not None and number < arg.low) or (arg.high is not None and number > arg.high):
        unit = f" {arg.unit}" if arg.unit else ""
        raise Wrong(
            "bad_value",
            f"{arg.name} is {number:.10g}; legal is {arg.low:g} to {arg.high:.10g}{unit}",
        )
    return number


def _as_bool(name: str, value: Value) -> bool:
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise Wrong("bad_type", f"{name} is {_kind(value)}; legal is T, F, 0 or 1")


def _as_text(arg: Arg, value: Value) -> str:
    if not isinstance(value, str):
        raise Wrong("bad_type", f"{arg.name} is {_kind(value)}; legal is a string")
    size = len(value.encode())
    if not (arg.low or 0) <= size <= (arg.high or INT32):
        raise Wrong(
            "bad_value", f"{arg.name} has {size} bytes; legal is {arg.low or 0:g} to {arg.high:g}"
        )
    if arg.legal and value not in arg.legal:
        raise Wrong("bad_value", f"{arg.name} is {value!r}; legal is {', '.join(arg.legal)}")
    return value


def _as_blob(arg: Arg, value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise Wrong("bad_type", f"{arg.name} is {_kind(value)}; legal is a blob")
    if not value:
        raise Wrong("bad_value", f"{arg.name} is empty; legal is at least one byte")
    return value


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int | float):
        return f"the number {value:.10g}"
    if isinstance(value, str):
        return f"the string {shortened(value, 32)!r}"
    return "nil" if value is None else "a blob"


def _outward(arg: Arg, value: Value) -> Value:
    if arg.kind == "string" and isinstance(value, str):
        value = shortened(value, int(arg.high or INT32))
    checked = check(arg, value)
    return int(checked) if isinstance(checked, bool) else checked


def shortened(words: str, most: int) -> str:
    """`words` in at most `most` bytes of UTF-8, cut with an ellipsis, free of NUL."""
    clean = words.replace("\0", " ").encode(errors="replace")
    if len(clean) <= most:
        return clean.decode()
    if most < 3:
        return ""
    return clean[: most - 3].decode(errors="ignore") + "…"
