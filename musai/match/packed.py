"""Several arrays in one file, mapped into memory together.

Eight bytes with the length of a JSON table (name, dtype, shape, first byte),
the table, then the arrays, each on a boundary of 64 bytes.  One file is
opened in the time in which numpy opens one array.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

ALIGNED = 64

Arrays = dict[str, NDArray[Any]]
Held = TypeVar("Held")


def table_of(held: Any, prefix: str = "") -> Arrays:
    """The arrays of a dataclass by name."""
    return {prefix + f.name: getattr(held, f.name) for f in fields(held)}


def made_of(kind: type[Held], arrays: Arrays, prefix: str = "") -> Held:
    """The dataclass of which `table_of` made a table."""
    return kind(**{f.name: arrays[prefix + f.name] for f in fields(cast(Any, kind))})


def save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write all arrays into one file."""
    table, at = [], 0
    for name, array in arrays.items():
        table.append([name, array.dtype.str, list(array.shape), at])
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    head = json.dumps(table).encode()
    head += b" " * (-(8 + len(head)) % ALIGNED)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())
            file.write(bytes(-array.nbytes % ALIGNED))


def load(path: Path) -> Arrays:
    """Map what `save` wrote.

    Copy-on-write mapping: nothing is ever written, but compiled loops see the
    same array type as in memory.  Raises `ValueError` for a file cut short.
    """
    whole = np.asarray(np.memmap(path, np.uint8, mode="c"))
    head = 8 + int.from_bytes(whole[:8].tobytes(), "little")
    if head > len(whole):
        raise ValueError(f"{path} is cut short: {len(whole)} bytes")
    out: Arrays = {}
    for name, kind, shape, at in json.loads(whole[8:head].tobytes()):
        dtype = np.dtype(kind)
        size = dtype.itemsize * int(np.prod(shape))
        part = whole[head + at : head + at + size]
        if len(part) < size:
            raise ValueError(f"{path} is cut short: {len(whole)} bytes")
        out[name] = part.view(dtype).reshape(shape)
    return out
