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

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

from musai.match import kernels as k
from musai.match.emitter import NARROW, TILE, VECTOR, Emitter
from musai.match.kernels import FLOOR, LANES, Ints

CACHE_LINE = 64
"""Bytes."""

PAGE = 4096 // (2 * LANES)
"""Rows of scores in 4096 bytes; a load that far from a store before it waits for it in vain."""

AT_ONCE = 32
"""Rows that one tile goes down before the next: what these need stays in the nearest cache."""

NEVER = -10_000
"""What a move costs that is not open; far from the end of int16, as in `kernels.sweep`."""

# What one row needs of the profile, each value as a whole vector.
(
    _STEP, _STEP2, _RATIO, _RATIO2, _CHANGED, _EXTRA, _MISSING,
    _RHYTHM2_MORE, _RHYTHM_MORE, _MENDED, _OPEN, _EXTEND,
) = range(12)  # fmt: skip
_CONSTANTS = 12

# A step or ratio of the phrase; what one is worth that is off by 1, 2, 12, by more, and not at all.
_STEP_COSTS = [k.STEP, k.NEAR1, k.NEAR2, k.OCTAVE, k.FAR, k.EQUAL]
_RATIO_COSTS = [k.RATIO, k.RHYTHM_NEAR, k.RHYTHM_FAR, k.RHYTHM_FAR, k.RHYTHM_FAR, k.RHYTHM]

# Rows of the state of a column.
_GAP, _TOP, _U1, _U2, _X1, _X2 = range(6)

intrinsic: Any = extending.intrinsic
emitting: Any = cgutils


def prepared(profile: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """What the loop needs of a query profile, int16 (rows, COLUMNS).

    `constants` int16 (rows, 12, TILE); `unlike` int16 (different steps and ratios, 6, TILE): a
    step or ratio and what one is worth that is off by 1, 2, 12, otherwise, and not at all;
    `step_of`, `ratio_of` int64 (rows,): where in `unlike` a row's step and ratio stand.
    """
    wide = profile.astype(np.int64)
    far = wide[:, k.RHYTHM_FAR]
    values = np.stack(
        [
            *(wide[:, c] for c in (k.STEP, k.STEP2, k.RATIO, k.RATIO2)),
            *(wide[:, c] - NEVER for c in (k.CHANGED, k.EXTRA, k.MISSING)),
            wide[:, k.RHYTHM2] - far,
            wide[:, k.RHYTHM] - far,
            far + NEVER,
            wide[:, k.OPEN],
            wide[:, k.EXTEND],
        ],
        axis=1,
    )
    steps, step_of = _different(profile[:, _STEP_COSTS])
    ratios, ratio_of = _different(profile[:, _RATIO_COSTS])
    unlike = _spread(np.concatenate([steps, ratios]))
    return _spread(values), unlike, step_of, ratio_of + len(steps)


def _different(rows: Ints) -> tuple[Ints, Ints]:
    """The different rows, and which of them each row is."""
    seen: dict[bytes, int] = {}
    which = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows], np.int64)
    return np.frombuffer(b"".join(seen), rows.dtype).reshape(len(seen), -1), which


def _spread(values: Ints) -> Ints:
    made = aligned(*values.shape, TILE)
    made[:] = values[:, :, None]
    return made


def aligned(*shape: int) -> Ints:
    """Zeros int16 that begin where a line of the processor's cache does.

    A vector that lies across two lines takes twice as long; numpy begins anywhere.
    """
    size = math.prod(shape)
    held = np.zeros(size + CACHE_LINE // 2, np.int16)
    first = -held.ctypes.data % CACHE_LINE // 2
    return held[first : first + size].reshape(shape)


@intrinsic  # type: ignore[untyped-decorator]
def _open_column(
    context: Any, state: Any, steps: Any, ratios: Any, ratios2: Any, column: Any, before: Any
) -> tuple[Any, Callable[..., Any]]:
    """The state at the head of a column: no gap, no score, the column's signs widened to int16."""
    return types.void(state, steps, ratios, ratios2, column, before), _emit_head


def _emit_head(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    emit = Emitter(context, builder, signature, args)
    state, steps, ratios, ratios2 = (emit.data(n) for n in range(4))
    column, before = args[4:]
    for tile in range(LANES // TILE):
        step = emit.load(emit.tile(steps, column, tile, NARROW))
        # Two steps in eight bits, as everywhere.
        two = builder.add(step, emit.load(emit.tile(steps, before, tile, NARROW)))
        x1, x2 = (emit.load(emit.tile(x, column, tile, NARROW)) for x in (ratios, ratios2))
        emit.store(ir.Constant(VECTOR, [FLOOR] * TILE), emit.tile(state, _GAP, tile))
        emit.store(emit.zero, emit.tile(state, _TOP, tile))
        for number, signs in ((_U1, step), (_U2, two), (_X1, x1), (_X2, x2)):
            emit.store(builder.sext(signs, VECTOR), emit.tile(state, number, tile))
    return emit.nothing


@intrinsic  # type: ignore[untyped-decorator]
def _step_row(
    context: Any, state: Any, costs: Any, table: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:
    """What each lane's step is worth against that of row `row` of `table`: that row of `costs`.

    `table` is `unlike` of `prepared`.
    """
    return types.void(state, costs, table, row), _emit_steps


def _emit_steps(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _emit_worth(Emitter(context, builder, signature, args), _U1, {12: 3, 2: 2, 1: 1})


@intrinsic  # type: ignore[untyped-decorator]
def _ratio_row(
    context: Any, state: Any, costs: Any, table: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:
    """`_step_row` for time ratios."""
    return types.void(state, costs, table, row), _emit_ratios


def _emit_ratios(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _emit_worth(Emitter(context, builder, signature, args), _X1, {1: 1})


def _emit_worth(emit: Emitter, signs: int, near: dict[int, int]) -> Any:
    """`near`: in which column of the table stands what one is worth that is off by how much."""
    state, costs, table = (emit.data(n) for n in (0, 1, 2))
    row = emit.args[3]
    value, *worth = (emit.constant(table, row, 6, n) for n in range(6))
    for tile in range(LANES // TILE):
        away = emit.build.sub(emit.load(emit.tile(state, signs, tile)), value)
        away = emit.larger(away, emit.build.sub(emit.zero, away))
        found = worth[3]
        for distance, column in {**near, 0: 5}.items():
            off = (away, ir.Constant(VECTOR, [distance] * TILE))
            found = emit.where(off, worth[column - 1], found)
        emit.store(found, emit.tile(costs, row, tile))
    return emit.nothing


@intrinsic  # type: ignore[untyped-decorator]
def _align_rows(
    context: Any,
    score: Any,
    back1: Any,
    back2: Any,
    here: Any,
    gap_work: Any,
    state: Any,
    costs: Any,
    step_of: Any,
    ratio_of: Any,
    constants: Any,
    first: Any,
    last: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Rows `first` to `last` (without it) of one column in all lanes; int16 arrays in C order.

    `score` (three columns, LANES): rows of the matrix, those of the column before from `back1` on,
    of the one before that from `back2` on, this column's from `here` on; all of them int64.
    """
    arguments = (
        score, back1, back2, here, gap_work, state, costs, step_of, ratio_of, constants, first, last,
    )  # fmt: skip
    return types.void(*arguments), _emit_rows


def _emit_rows(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    emit = Emitter(context, builder, signature, args)
    # Tile by tile, so that what goes from row to row stays in registers.
    for tile in range(LANES // TILE):
        _emit_tile(emit, tile)
    return emit.nothing


def _emit_tile(emit: Emitter, tile: int) -> None:
    builder = emit.build
    _, back1, back2, here, *_, first, last = emit.args
    score, gaps, state, costs, step_of, ratio_of, table = (
        emit.data(n) for n in (0, 4, 5, 6, 7, 8, 9)
    )

    def held(base: Any, number: Any) -> Any:
        return emit.load(emit.tile(base, number, tile))

    u1, u2, x1, x2 = (held(state, n) for n in (_U1, _U2, _X1, _X2))
    kept = {
        _GAP: held(state, _GAP),
        _TOP: held(state, _TOP),
        "back1": held(score, builder.add(back1, first)),
        "back2": held(score, builder.add(back2, first)),
    }
    cells = {name: emitting.alloca_once_value(builder, value) for name, value in kept.items()}
    with emitting.for_range(builder, last, start=first) as loop:
        row = loop.index
        query, top, before1, before2 = (builder.load(cells[name]) for name in cells)
        above1, above2 = (held(score, emit.plus(builder.add(b, row), 1)) for b in (back1, back2))
        builder.store(above1, cells["back1"])
        builder.store(above2, cells["back2"])
        step, ratio = (builder.load(builder.gep(base, [row])) for base in (step_of, ratio_of))

        def constant(number: int, row: Any = row) -> Any:
            return emit.constant(table, row, _CONSTANTS, number)

        def when_equal(x: Any, number: int, worth: int) -> Any:
            return emit.where((x, constant(number)), constant(worth), emit.zero)

        work = held(gaps, row)
        best = emit.total(above1, held(costs, step), held(costs, ratio))
        # One note changed between two that agree; one too many; one missing.
        changed, extra, missing = (
            emit.total(before, when_equal(u, a, c), when_equal(x, b, r))
            for before, u, a, c, x, b, r in (
                (before2, u2, _STEP2, _CHANGED, x2, _RATIO2, _RHYTHM2_MORE),
                (before1, u1, _STEP2, _EXTRA, x1, _RATIO2, _RHYTHM2_MORE),
                (above2, u2, _STEP, _MISSING, x2, _RATIO, _RHYTHM_MORE),
            )
        )
        mend = emit.larger(emit.larger(changed, extra), missing)
        best = emit.larger(best, builder.add(mend, constant(_MENDED)))
        for other in (emit.zero, work, query):
            best = emit.larger(best, other)
        emit.store(best, emit.tile(score, emit.plus(builder.add(here, row), 2), tile))
        opened, longer = builder.sub(best, constant(_OPEN)), constant(_EXTEND)
        emit.store(emit.larger(opened, builder.sub(work, longer)), emit.tile(gaps, row, tile))
        builder.store(emit.larger(opened, builder.sub(query, longer)), cells[_GAP])
        builder.store(emit.larger(top, best), cells[_TOP])
    for number in (_GAP, _TOP):
        emit.store(builder.load(cells[number]), emit.tile(state, number, tile))


@intrinsic  # type: ignore[untyped-decorator]
def _keep_best(context: Any, best: Any, check: Any, state: Any) -> tuple[Any, Callable[..., Any]]:
    """Row `check` of `best`, where the column's best score so far is larger."""
    return types.void(best, check, state), _emit_best


def _emit_best(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    emit = Emitter(context, builder, signature, args)
    best, state = emit.data(0), emit.data(2)
    for tile in range(LANES // TILE):
        place = emit.tile(best, args[1], tile)
        top = emit.load(emit.tile(state, _TOP, tile))
        emit.store(emit.larger(emit.load(place), top), place)
    return emit.nothing


@numba.njit(nogil=True, cache=True)
def _sweep(
    signs: tuple[Ints, Ints, Ints],
    events: tuple[Ints, Ints, Ints, Ints],
    told: tuple[Ints, Ints, Ints, Ints],
    room: tuple[Ints, Ints, Ints, Ints, Ints],
    checks: Ints,
    out: Ints,
) -> None:
    steps, ratios, ratios2 = signs
    event_column, event_lane, event_block, event_reset = events
    constants, unlike, step_of, ratio_of = told
    score, gap_work, state, best, costs = room
    rows, count, different = constants.shape[0], checks.shape[0], unlike.shape[0]
    first_ratio = ratio_of.min()
    column = score.shape[0] // 3
    here, back1, back2 = 0, column, 2 * column
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
        for n in range(first_ratio):
            _step_row(state, costs, unlike, n)
        for n in range(first_ratio, different):
            _ratio_row(state, costs, unlike, n)
        row = 0
        for c in range(count):
            while row < checks[c]:
                last = min(row + AT_ONCE, checks[c])
                _align_rows(
                    score, back1, back2, here, gap_work, state, costs,
                    step_of, ratio_of, constants, row, last,
                )  # fmt: skip
                row = last
            _keep_best(best, c, state)
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
    told = prepared(profile)
    rows = len(profile)
    # The three columns in turn, a third of a page from one another.
    column = rows + 2 + (PAGE // 3 + 1 - rows - 2) % PAGE
    gap_work = aligned(rows, LANES)
    gap_work[:] = FLOOR
    room = (
        aligned(3 * column, LANES),
        gap_work,
        aligned(6, LANES),
        aligned(len(checks), LANES),
        aligned(len(told[1]), LANES),
    )
    _sweep((steps, ratios, ratios2), events, told, room, checks, out)
