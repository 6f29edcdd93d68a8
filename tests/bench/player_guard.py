"""What the guard costs on a million notes, and a search, without its tables, of what it let through."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from musai.corpus import Corpus
from musai.match.catalogue import catalogue
from musai.match.guard import Guards
from musai.match.quotations import Quotations
from musai.transformer import Player
from musai.transformer.guarding import Tally
from musai.transformer.request import Request
from tests.bench.match_style import _lieder
from tests.bench.server import motif
from tests.bench.table import Result, save_rows

PAIRS = 40
REPEATS = 7
LENGTHS = (8, 12)
BARS = 4


def measure(home: Path, model: str | None, seed: int, phrases: int) -> Result:
    """Cost in pairs with and without; violations of every line of every phrase."""
    result, player, guards = Result(), Player.open(model), Guards()
    tunes, songs = Corpus.open("tunebook"), _lieder(home)
    notes = sum(work.notes for corpus in (tunes, songs) for work in corpus.works)
    _cost(result, player, guards.of(12, [tunes, songs]), seed, notes)
    search = Quotations(catalogue(tunes))
    violations, rows = 0, []
    for k in LENGTHS:
        guard, tally = guards.of(k, [tunes]), Tally()
        longer = unguarded = 0
        for number in range(phrases):
            request = Request(bars=BARS, seed=seed + number, guard=k,
                              collection=player.collections[number % len(player.collections)])  # fmt: skip
            phrase = player.phrase(request, player.generate(request, guard, tally))
            found = [quoted for quoted in search.of(phrase, k) if not quoted.stock]
            violations += len(found)
            longer += bool(found)
            if number % 5 == 0:
                plain = player.play(
                    Request(bars=BARS, seed=seed + number, collection=request.collection)
                )
                unguarded += any(not quoted.stock for quoted in search.of(plain, k))
            rows.append({"k": k, "phrase": number, "notes": len(phrase), "violations": len(found)})
        result.add(
            f"phrases with a run of {k} that the tunebook holds, guard {k}", f"{longer} of {phrases}",
            f"{unguarded} of {-(-phrases // 5)}", f"without a guard; {tally}",
        )  # fmt: skip
    save_rows("player_guard", rows)
    result.figures["guard_violations"] = violations
    return result


def _in_turns(
    player: Player, requests: Sequence[Request], guard: Any, first: int
) -> list[list[float]]:
    """Seconds until each note of two answers and until their ends, a note of each in turn."""
    answers = [player.generate(request, guard) for request in requests]
    times: list[list[float]] = [[], []]
    going = {0, 1}
    while going:
        for arm in (first, 1 - first):
            if arm in going:
                started = time.perf_counter()
                if next(answers[arm], None) is None:
                    going.remove(arm)
                times[arm].append(time.perf_counter() - started)
    return times


def _cost(result: Result, player: Player, guard: Any, seed: int, notes: int) -> None:
    """Seconds a note with and without, of the same requests, note by note in turns.

    A processor's own speed changes within a second by more than a guard costs, and of each note,
    which is the same work each time, the best of seven counts.  What the one reads pushes the
    other's out of the caches, so this is rather too much than too little.
    """
    player.play(Request("answer", 1, seed, motif(seed, 0), guard=12), guard)
    pairs = np.zeros((PAIRS, 2))
    for number in range(PAIRS):
        requests = [
            Request("answer", 8, seed + number, motif(seed, number), guard=k) for k in (None, 12)
        ]
        turns = [_in_turns(player, requests, guard, turn % 2) for turn in range(REPEATS)]
        for arm in (0, 1):
            times = np.array([turn[arm] for turn in turns]).min(axis=0)
            pairs[number, arm] = times.sum() / (len(times) - 1)
    cost = pairs[:, 1].sum() / pairs[:, 0].sum() - 1
    drawn = pairs[np.random.default_rng(seed).integers(0, PAIRS, (2000, PAIRS))].sum(axis=1)
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0] - 1, (0.025, 0.975))
    save_rows(
        "player_guard_cost",
        [{"pair": i, "plain_s": a, "guarded_s": b} for i, (a, b) in enumerate(pairs.tolist())],
    )
    result.figures["guard_cost"] = round(float(cost), 4)
    result.figures["guard_notes"] = notes
    result.add(
        f"decoding a note costs more under a guard of 12 on {notes:,} notes",
        f"{cost:.1%}", "10%", f"bar; 95% {low:.1%} to {high:.1%}, requests drawn",
    )  # fmt: skip
