"""The terms of a statement: which parts of the revenue go where; read from a TOML file."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from musai.corpus.licences import checked_territory
from musai.errors import BadInput, check_range

Residual = Literal["held", "training"]

_MINOR = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
"""Digits of a currency's minor unit (ISO 4217) where they are not two."""


@dataclass(frozen=True, slots=True)
class StatementTerms:
    """What the parties agreed on.

    `training`, `output`: basis points of revenue for the two pools; `threshold`: the least
    reliability (lower end of the measured LDS) at which influence is paid by; `residual`: what
    becomes of the output pool below that: "held" aside, or by the "training" split; `territory`:
    where the revenue comes from, empty for everywhere.
    """

    currency: str
    training: int
    output: int
    threshold: float = 0.2
    residual: Residual = "held"
    territory: str = ""

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise BadInput(f"currency is {self.currency!r}; legal is a code like EUR")
        for name in ("training", "output"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise BadInput(f"{name} is {value!r}; legal is a whole number of basis points")
            check_range(name, value, 0, 10_000, "basis points")
        if self.training + self.output > 10_000:
            raise BadInput(
                f"the terms contradict each other: training and output take "
                f"{self.training + self.output} basis points of revenue; legal is up to 10000"
            )
        check_range("threshold", self.threshold, 0, 1)
        if self.residual not in get_args(Residual):
            raise BadInput(f"residual is {self.residual!r}; legal is held, training")
        if self.territory:
            checked_territory(self.territory)

    @property
    def digits(self) -> int:
        """Digits of the minor unit: 2 for cents."""
        return _MINOR.get(self.currency, 2)

    @classmethod
    def read(cls, path: Path) -> "StatementTerms":
        """From a TOML file; `BadInput` names an unknown or missing key."""
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadInput(f"the terms {path} cannot be read: {error}") from None
        known = [one.name for one in fields(cls)]
        if strange := sorted(set(values) - set(known)):
            raise BadInput(f"the terms {path} have {strange[0]!r}; legal is {', '.join(known)}")
        if lacking := [name for name in ("currency", "training", "output") if name not in values]:
            raise BadInput(f"the terms {path} lack {', '.join(lacking)}")
        return cls(**values)


def minor_units(amount: str, terms: StatementTerms) -> int:
    """An amount as text ("1234.56") in minor units.  Raises `BadInput` unless it is above zero."""
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(amount)
        exact = value.scaleb(terms.digits)
        whole = int(exact)
    except (InvalidOperation, ValueError, OverflowError):
        raise BadInput(f"revenue is {amount!r}; legal is a number like 1234.56") from None
    if value <= 0:
        raise BadInput(f"revenue is {amount}; legal is above zero")
    if whole != exact:
        raise BadInput(
            f"revenue is {amount} {terms.currency}; legal is up to {terms.digits} digits after the point"
        )
    if whole > 10**15:
        raise BadInput(f"revenue is {amount}; legal is up to 10^15 minor units")
    return whole
