"""The sweep of `kernels.py` in vector instructions of our own choosing.

A compiler left to itself turns that loop into vectors on some processors and
into single steps on others (0.4 thousand million cells a second against 2.7
on machines of one year).  So one row of the score matrix is written here as
operations on `TILE` scores at once, which LLVM lays out for whatever the
processor has.  The values are those of `kernels.sweep`, bit for bit.

What a row needs is laid out before the sweep: a row's scores as whole
vectors, and for each different step and time ratio of the phrase what
disagreement with it costs in every lane, worked out once a column.

Importing this module imports numba, which costs half a second.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import extending
from numba.core import types

from musai.match import kernels as k
from musai.match.kernels import FLOOR, LANES, Ints

TILE = 16
"""Scores in one operation: a register of 256 bits.  8 and 32 take twice as long where that is the width."""

NEVER = -10_000
"""What a move costs that is not open; far from the end of int16, as in `kernels.sweep`."""

# What one row needs of the profile, each value as a whole vector.
(
    _STEP, _STEP2, _RATIO, _RATIO2, _EQUAL, _RHYTHM, _CHANGED, _EXTRA, _MISSING,
    _RHYTHM2_MORE, _RHYTHM_MORE, _MENDED, _OPEN, _EXTEND,
) = range(14)  # fmt: skip
_CONSTANTS = 14

_STEP_COSTS = [k.STEP, k.NEAR1, k.NEAR2, k.OCTAVE, k.FAR]
_RATIO_COSTS = [k.RATIO, k.RHYTHM_NEAR, k.RHYTHM_FAR, k.RHYTHM_FAR, k.RHYTHM_FAR]

# Rows of the state of a column.
_GAP, _TOP, _U1, _U2, _X1, _X2 = range(6)

intrinsic: Any = extending.intrinsic

_SHORT = ir.IntType(16)
_VECTOR = ir.VectorType(_SHORT, TILE)
_NARROW = ir.VectorType(ir.IntType(8), TILE)
_LONG = ir.IntType(64)


def prepared(profile: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """What the loop needs of a query profile, int16 (rows, COLUMNS).

    `constants` int16 (rows, 14, TILE); `unlike` int16 (different steps and ratios, 5, TILE): a
    step or ratio and what costs one off by 1, 2, 12 and otherwise; `step_of`, `ratio_of` int64
    (rows,): where in `unlike` a row's step and ratio stand.
    """
    wide = profile.astype(np.int64)
    far = wide[:, k.RHYTHM_FAR]
    values = np.stack(
        [
            *(wide[:, c] for c in (k.STEP, k.STEP2, k.RATIO, k.RATIO2, k.EQUAL, k.RHYTHM)),
            *(wide[:, c] - NEVER for c in (k.CHANGED, k.EXTRA, k.MISSING)),
            wide[:, k.RHYTHM2] - far,
            wide[:, k.RHYTHM] - far,
            far + NEVER,
            wide[:, k.OPEN],
            wide[:, k.EXTEND],
        ],
        axis=1,
    )
    steps, step_of = np.unique(profile[:, _STEP_COSTS], axis=0, return_inverse=True)
    ratios, ratio_of = np.unique(profile[:, _RATIO_COSTS], axis=0, return_inverse=True)
    unlike = _spread(np.concatenate([steps, ratios]))
    return _spread(values), unlike, step_of.ravel(), ratio_of.ravel() + len(steps)


def _spread(values: Ints) -> Ints:
    return np.repeat(values[:, :, None], TILE, axis=2).astype(np.int16)


class _Emitter:
    """Vectors in and out of rows of int16 arrays, in the function that is being compiled."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self._context, self._signature, self.args = context, signature, args
        self.build = builder
        self.zero = ir.Constant(_VECTOR, [0] * TILE)

    def data(self, number: int) -> Any:
        """The pointer to the first value of an array argument."""
        made = self._context.make_array(self._signature.args[number])
        return made(self._context, self.build, self.args[number]).data

    def plus(self, x: Any, number: int) -> Any:
        """An index and a number."""
        return self.build.add(x, ir.Constant(_LONG, number))

    def tile(self, base: Any, row: Any, tile: int, vector: Any = _VECTOR) -> Any:
        """The pointer to a tile of a row of `LANES` values."""
        row = ir.Constant(_LONG, row) if isinstance(row, int) else row
        first = self.build.mul(row, ir.Constant(_LONG, LANES))
        return self._place(base, self.plus(first, tile * TILE), vector)

    def constant(self, base: Any, row: Any, columns: int, column: int) -> Any:
        """A value of a table (any, columns, TILE)."""
        first = self.build.mul(row, ir.Constant(_LONG, columns * TILE))
        return self.load(self._place(base, self.plus(first, column * TILE)))

    def _place(self, base: Any, at: Any, vector: Any = _VECTOR) -> Any:
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


@intrinsic  # type: ignore[untyped-decorator]
def _open_column(
    context: Any, state: Any, steps: Any, ratios: Any, ratios2: Any, column: Any, before: Any
) -> tuple[Any, Callable[..., Any]]:
    """The state at the head of a column: no gap, no score, the column's signs widened to int16."""
    return types.void(state, steps, ratios, ratios2, column, before), _emit_head


def _emit_head(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    emit = _Emitter(context, builder, signature, args)
    state, steps, ratios, ratios2 = (emit.data(n) for n in range(4))
    column, before = args[4:]
    for tile in range(LANES // TILE):
        step = emit.load(emit.tile(steps, column, tile, _NARROW))
        # Two steps in eight bits, as everywhere.
        two = builder.add(step, emit.load(emit.tile(steps, before, tile, _NARROW)))
        x1, x2 = (emit.load(emit.tile(x, column, tile, _NARROW)) for x in (ratios, ratios2))
        emit.store(ir.Constant(_VECTOR, [FLOOR] * TILE), emit.tile(state, _GAP, tile))
        emit.store(emit.zero, emit.tile(state, _TOP, tile))
        for number, signs in ((_U1, step), (_U2, two), (_X1, x1), (_X2, x2)):
            emit.store(builder.sext(signs, _VECTOR), emit.tile(state, number, tile))
    return context.get_dummy_value()


@intrinsic  # type: ignore[untyped-decorator]
def _cost_row(
    context: Any, state: Any, signs: Any, costs: Any, table: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:
    """What disagreement with one step or ratio costs in all lanes: row `row` of `costs`.

    `signs` is the row of `state` that it is held against; `table` is `unlike` of `prepared`.
    """
    return types.void(state, signs, costs, table, row), _emit_costs


def _emit_costs(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    emit = _Emitter(context, builder, signature, args)
    state, costs, table = (emit.data(n) for n in (0, 2, 3))
    _, signs, _, _, row = args
    value, near1, near2, octave, cost = (emit.constant(table, row, 5, n) for n in range(5))
    for tile in range(LANES // TILE):
        away = builder.sub(emit.load(emit.tile(state, signs, tile)), value)
        away = emit.larger(away, builder.sub(emit.zero, away))
        found = cost
        for distance, other in ((12, octave), (2, near2), (1, near1), (0, emit.zero)):
            found = emit.where((away, ir.Constant(_VECTOR, [distance] * TILE)), other, found)
        emit.store(found, emit.tile(costs, row, tile))
    return context.get_dummy_value()


@intrinsic  # type: ignore[untyped-decorator]
def _align_row(
    context: Any,
    score: Any,
    back1: Any,
    back2: Any,
    here: Any,
    gap_work: Any,
    state: Any,
    costs: Any,
    step: Any,
    ratio: Any,
    constants: Any,
    row: Any,
) -> tuple[Any, Callable[..., Any]]:
    """One row of one column in all lanes; the arrays are int16 in C order, the rest int64.

    `score` (three columns, LANES): rows of the matrix, those of the column before from `back1` on,
    of the one before that from `back2` on, this column's from `here` on.
    """
    arguments = (
        score, back1, back2, here, gap_work, state, costs, step, ratio, constants, row,
    )  # fmt: skip
    return types.void(*arguments), _emit_row


def _emit_row(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    emit = _Emitter(context, builder, signature, args)
    _, back1, back2, here, _, _, _, step, ratio, _, row = args
    score, gaps, state, costs, table = (emit.data(n) for n in (0, 4, 5, 6, 9))
    before1, before2 = builder.add(back1, row), builder.add(back2, row)
    reached = emit.plus(builder.add(here, row), 2)

    def constant(number: int) -> Any:
        return emit.constant(table, row, _CONSTANTS, number)

    def when_equal(x: Any, number: int, worth: int) -> Any:
        return emit.where((x, constant(number)), constant(worth), emit.zero)

    for tile in range(LANES // TILE):

        def held(base: Any, number: Any, tile: int = tile) -> Any:
            return emit.load(emit.tile(base, number, tile))

        query, top, u1, u2, x1, x2 = (held(state, n) for n in range(6))
        work = held(gaps, row)
        best = emit.total(
            held(score, emit.plus(before1, 1)),
            held(costs, step),
            held(costs, ratio),
            when_equal(u1, _STEP, _EQUAL),
            when_equal(x1, _RATIO, _RHYTHM),
        )
        # One note changed between two that agree; one too many; one missing.
        changed, extra, missing = (
            emit.total(held(score, at), when_equal(u, a, c), when_equal(x, b, r))
            for at, u, a, c, x, b, r in (
                (before2, u2, _STEP2, _CHANGED, x2, _RATIO2, _RHYTHM2_MORE),
                (before1, u1, _STEP2, _EXTRA, x1, _RATIO2, _RHYTHM2_MORE),
                (emit.plus(before2, 1), u2, _STEP, _MISSING, x2, _RATIO, _RHYTHM_MORE),
            )
        )
        mend = emit.larger(emit.larger(changed, extra), missing)
        best = emit.larger(best, builder.add(mend, constant(_MENDED)))
        for other in (emit.zero, work, query):
            best = emit.larger(best, other)
        emit.store(best, emit.tile(score, reached, tile))
        opened, longer = builder.sub(best, constant(_OPEN)), constant(_EXTEND)
        for gap, base, at in ((work, gaps, row), (query, state, _GAP)):
            gap = emit.larger(opened, builder.sub(gap, longer))
            emit.store(gap, emit.tile(base, at, tile))
        emit.store(emit.larger(top, best), emit.tile(state, _TOP, tile))
    return context.get_dummy_value()


@numba.njit(nogil=True, cache=True)
def _sweep(
    signs: tuple[Ints, Ints, Ints],
    events: tuple[Ints, Ints, Ints, Ints],
    told: tuple[Ints, Ints, Ints, Ints],
    checks: Ints,
    out: Ints,
) -> None:
    steps, ratios, ratios2 = signs
    event_column, event_lane, event_block, event_reset = events
    constants, unlike, step_of, ratio_of = told
    rows, count, different = constants.shape[0], checks.shape[0], unlike.shape[0]
    first_ratio = ratio_of.min()
    score = np.zeros((3 * (rows + 2), LANES), np.int16)
    gap_work = np.full((rows, LANES), FLOOR, np.int16)
    state = np.zeros((6, LANES), np.int16)
    best = np.zeros((count, LANES), np.int16)
    costs = np.zeros((different, LANES), np.int16)
    here, back1, back2 = 0, rows + 2, 2 * (rows + 2)
    event = 0
    for j in range(steps.shape[0]):
        while event < event_column.shape[0] and event_column[event] == j:
            lane, block = event_lane[event], event_block[event]
            for c in range(count):
                if block >= 0:
                    out[c, block] = best[c, lane]
                best[c, lane] = 0
            if event_reset[event]:
                for i in range(rows + 2):
                    score[back1 + i, lane] = score[back2 + i, lane] = 0
                for i in range(rows):
                    gap_work[i, lane] = FLOOR
            event += 1
        _open_column(state, steps, ratios, ratios2, j, max(0, j - 1))
        if j == 0:
            state[_U2] = 0
        for n in range(different):
            _cost_row(state, _U1 if n < first_ratio else _X1, costs, unlike, n)
        c = 0
        for i in range(rows):
            step, ratio = step_of[i], ratio_of[i]
            _align_row(score, back1, back2, here, gap_work, state, costs, step, ratio, constants, i)
            if c < count and i + 1 == checks[c]:
                for lane in range(LANES):
                    best[c, lane] = max(best[c, lane], state[_TOP, lane])
                c += 1
        here, back1, back2 = back2, here, back1
    while event < event_column.shape[0]:
        if event_block[event] >= 0:
            for c in range(count):
                out[c, event_block[event]] = best[c, event_lane[event]]
        event += 1


def sweep(
    steps: Ints,
    ratios: Ints,
    ratios2: Ints,
    event_column: Ints,
    event_lane: Ints,
    event_block: Ints,
    event_reset: Ints,
    profile: Ints,
    checks: Ints,
    out: Ints,
) -> None:
    """`kernels.sweep`, in vectors: same arguments, same values."""
    events = (event_column, event_lane, event_block, event_reset)
    _sweep((steps, ratios, ratios2), events, prepared(profile), checks, out)
