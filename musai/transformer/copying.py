"""Copies of a state that is come back to."""

from typing import TypeVar

T = TypeVar("T")


def shallow(thing: T) -> T:
    """What `copy.copy` makes of a plain object, in a fifth of its time: a guard copies an answer's
    state at each onset."""
    same = object.__new__(type(thing))
    same.__dict__.update(thing.__dict__)
    return same
