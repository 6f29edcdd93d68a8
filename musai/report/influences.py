"""Which training works moved the phrase, as a report tells it: records, and how they are made."""

from typing import Annotated, Any

import msgspec

from musai.influence.found import Influence


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Immutable, unknown fields refused."""


class Pulled(_Record, frozen=True):
    """A training work's estimates, as shares of each list's first."""

    work_id: str
    title: str
    collection: str
    licence: str
    lexical: float
    gradient: float
    low: Annotated[
        float | None, msgspec.Meta(description="95% as the phrase's passages are drawn anew")
    ] = None
    high: float | None = None
    nats: Annotated[
        tuple[float, float, float] | None,
        msgspec.Meta(description="what leaving it out would take, and 95%; null if not measured"),
    ] = None
    everywhere: Annotated[bool, msgspec.Meta(description="heads most lists, whatever is asked")] = (
        False
    )


class PulledSum(_Record, frozen=True):
    """An owner's or a collection's works together, what is negative included."""

    name: str
    share: float
    low: float | None = None
    high: float | None = None


class PulledPlace(_Record, frozen=True):
    """Neighbouring notes that one work moved more than works do by chance; ticks of the onsets."""

    first: int
    last: int
    notes: int
    where: str
    work_id: str
    title: str
    p: float
    everywhere: bool = False


class Influences(_Record, frozen=True):
    """Estimates of what each training work did for the phrase's probability."""

    model: str
    model_id: str
    method: str
    reliability: str
    proxy: Annotated[bool, msgspec.Meta(description="not measured on this model")]
    agree: Annotated[bool, msgspec.Meta(description="similarity and influence name the same works")]
    sentence: str
    agreement: float
    works: tuple[Pulled, ...]
    similar: tuple[Pulled, ...]
    owners: tuple[PulledSum, ...]
    collections: tuple[PulledSum, ...]
    places: tuple[PulledPlace, ...]
    asked_places: int
    hidden: int
    missing: int


def influences(found: Influence) -> Influences:
    """The record of an estimate."""
    values: dict[str, Any] = {**found.plain()}
    values["proxy"] = values.pop("measured") is None
    return msgspec.convert(values, Influences)
