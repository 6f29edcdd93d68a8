"""Options for what a request may wish for, from the table of controls."""

from collections.abc import Callable
from typing import Any

import click

from musai.transformer.controls import CONTROLS, MODES, Control, takes

Command = Callable[..., Any]


class PairType(click.ParamType):  # type: ignore[type-arg]
    """Two whole numbers with a sign between them: 3/4, 48-72."""

    def __init__(self, name: str, sign: str) -> None:
        self.name = name
        self._sign = sign

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """The two numbers."""
        first, _, second = str(value).partition(self._sign)
        try:
            return int(first), int(second)
        except ValueError:
            self.fail(f"{value!r}; legal is two whole numbers such as 3{self._sign}4", param, ctx)


_TYPES: dict[str, Any] = {
    "signature": PairType("N/D", "/"),
    "register": PairType("LOW-HIGH", "-"),
    "int": int,
    "float": float,
    "text": str,
}


def wishes(mode: str | None = None) -> Callable[[Command], Command]:
    """The options of a command that asks in this mode, or in any of them."""

    def decorate(command: Command) -> Command:
        for row in reversed(CONTROLS):
            if row.kind != "takes" and (mode is None or takes(mode, row.name)):
                command = _option(row, mode)(command)
        return command

    return decorate


def _option(row: Control, mode: str | None) -> Callable[[Command], Command]:
    kind = _TYPES.get(row.name, _TYPES[row.kind])
    return click.option("--" + row.name.replace("_", "-"), type=kind, help=_help(row, mode))


def _help(row: Control, mode: str | None) -> str:
    if row.name == "seed":
        return "Same seed, same phrase (default: a new one, printed)."
    said = row.doc[0].upper() + row.doc[1:]
    if row.kind != "text":
        said += f"; {row.low:g} to {row.high:g} {row.unit}".rstrip()
    only = [name for name in MODES if takes(name, row.name)]
    if mode is None and len(only) < len(MODES):
        said += f" ({', '.join(only)})"
    return said + "."
