"""Writing a loop's vector instructions by hand, for numba to put into what it compiles."""

from typing import Any

from llvmlite import ir

from musai.match.kernels import LANES

TILE = 16
"""Scores in one operation: a register of 256 bits.  8 and 32 take twice as long where that is the width."""

VECTOR = ir.VectorType(ir.IntType(16), TILE)
"""Of scores."""

NARROW = ir.VectorType(ir.IntType(8), TILE)
"""Of signs."""

LONG = ir.IntType(64)
"""An index."""


class Emitter:
    """Vectors in and out of rows of int16 arrays, in the function that is being compiled."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self._context, self._signature, self.args = context, signature, args
        self.build = builder
        self.zero = ir.Constant(VECTOR, [0] * TILE)
        self.nothing = context.get_dummy_value()

    def data(self, number: int) -> Any:
        """The pointer to the first value of an array argument."""
        made = self._context.make_array(self._signature.args[number])
        return made(self._context, self.build, self.args[number]).data

    def plus(self, x: Any, number: int) -> Any:
        """An index and a number."""
        return self.build.add(x, ir.Constant(LONG, number))

    def tile(self, base: Any, row: Any, tile: int, vector: Any = VECTOR) -> Any:
        """The pointer to a tile of a row of `LANES` values."""
        row = ir.Constant(LONG, row) if isinstance(row, int) else row
        first = self.build.mul(row, ir.Constant(LONG, LANES))
        return self._place(base, self.plus(first, tile * TILE), vector)

    def constant(self, base: Any, row: Any, columns: int, column: int) -> Any:
        """A value of a table (any, columns, TILE)."""
        first = self.build.mul(row, ir.Constant(LONG, columns * TILE))
        return self.load(self._place(base, self.plus(first, column * TILE)))

    def _place(self, base: Any, at: Any, vector: Any = VECTOR) -> Any:
        return self.build.bitcast(self.build.gep(base, [at]), vector.as_pointer())

    def load(self, pointer: Any) -> Any:
        """The vector there."""
        value = self.build.load(pointer)
        value.align = 1
        return value

    def store(self, value: Any, pointer: Any) -> None:
        """Put a vector there."""
        self.build.store(value, pointer).align = 2

    def where(self, same: Any, one: Any, other: Any) -> Any:
        """`one` where two vectors are the `same`, else `other`."""
        return self.build.select(self.build.icmp_signed("==", *same), one, other)

    def larger(self, x: Any, y: Any) -> Any:
        """The larger of two vectors, value by value."""
        return self.build.select(self.build.icmp_signed(">", x, y), x, y)

    def total(self, *parts: Any) -> Any:
        """The sum of vectors."""
        held = parts[0]
        for part in parts[1:]:
            held = self.build.add(held, part)
        return held
