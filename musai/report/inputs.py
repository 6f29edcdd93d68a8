"""What a report is made from, as far as it looks: shapes that `musai.match` hits and verdicts have.

Structural types, so that a report can be made again from stored values as
well as from a matcher that has just run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from musai.report.records import Light, Work


class HitLike(Protocol):
    """One matched work; see `musai.match` for what each number means."""

    @property
    def work_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def e_value(self) -> float | None: ...
    @property
    def q_value(self) -> float | None: ...
    @property
    def significant(self) -> bool: ...
    @property
    def transposition(self) -> int: ...
    @property
    def tempo_ratio(self) -> float: ...
    @property
    def longest_run(self) -> int: ...
    @property
    def coverage_query(self) -> float: ...
    @property
    def coverage_work(self) -> float: ...
    @property
    def alignment(self) -> Sequence[tuple[int, int]]: ...
    @property
    def licence(self) -> str: ...


class VerdictLike(Protocol):
    """The verdict on a phrase and a corpus."""

    @property
    def light(self) -> Light: ...
    @property
    def sentence(self) -> str: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def statistic(self) -> float | None: ...
    @property
    def null_size(self) -> int: ...
    @property
    def null_version(self) -> str: ...
    @property
    def longest_run(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the matcher found: verdict and hits, best first, with the works they name.

    `spread` and `style`, where they are known, have the fields of the records `Spread` and
    `Style`, as attributes or as keys.
    """

    verdict: VerdictLike
    hits: Sequence[HitLike]
    works: dict[str, Work]
    spread: Any = None
    style: Any = None


def field(thing: Any, name: str, default: Any = None) -> Any:
    """A field of a record as it was made, or as the plain values that were stored of it."""
    if isinstance(thing, Mapping):
        return thing.get(name, default)
    return getattr(thing, name, default)
