"""The verdict's error rate and power, on real phrases whose relations are known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import Matcher, decoys, describe, search, significance
from musai.match.catalogue import Catalogue
from musai.match.null import Null, log_notes
from musai.match.related import LENGTHS, Drawn, Related
from tests.bench import match_queries as queries
from tests.bench.table import Result

NOTES = 16
LEVELS = (0.05, 0.01, 0.001)
BOOTSTRAPS = 1000
COMMON = 5
"""Works that make a passage common stock."""

Ints = NDArray[Any]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Judge:
    """A corpus with its nulls, and the music that phrases are drawn from."""

    target: Catalogue
    source: Catalogue
    nulls: tuple[Null, ...]
    pool: tuple[queries.Source, ...]
    """Streams of the source."""


def judge(matcher: Matcher, source: Catalogue) -> Judge:
    """Tunes by their lines; songs by voices, skylines and the tops of pianos."""
    kinds = ("line",) if source.name == "tunebook" else ("line", "skyline", "top")
    pool = queries.sources(source, kinds, 64)
    return Judge(matcher.catalogue, source, tuple(matcher.nulls.ready), tuple(pool))


def p_of(nulls: Sequence[Null], notes: int, score: int) -> float:
    """The verdict's p: of several nulls the largest."""
    return max(significance.phrase_p(null, notes, score) or 1.0 for null in nulls)


def unrelated(held: Judge, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Real phrases against the works that are unrelated to them, with single works' p too."""
    target, source = held.target, held.source
    related, logs = Related(target, source), log_notes(target.index)
    rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
    done = 0
    while done < count:
        place = held.pool[int(rng.integers(len(held.pool)))]
        pitch, onset = source.index.segments[place.segment].line(place.stream)
        # As for a null: what is related shows in 64 notes, of which the phrase is the first 16.
        start = int(rng.integers(len(pitch) - LENGTHS[-1] + 1))
        part = slice(start, start + LENGTHS[-1])
        line = search.line_from(pitch[part], onset[part])
        found = search.exhaustive(target.index, line, np.array(LENGTHS) - 1)
        own = related.own(place.work) | ~target.index.alive
        drawn = Drawn(place.work, place.segment, place.stream, start, line)
        away = related.checked(drawn, found, own | related.mask(place.work))
        scores = found.works[LENGTHS.index(NOTES)]
        if away.all():
            continue
        done += 1
        each = [significance.work_p(null, NOTES, scores, logs)[0] for null in held.nulls]
        single = np.max(each, axis=0)[~away]
        row = source.rows[place.work]
        yield {
            "composer": row.composer or row.title,
            "kind": int(source.index.segments[place.segment].stream_kind[place.stream]),
            "best": int(scores[~away].max()),
            "p": p_of(held.nulls, NOTES, int(scores[~away].max())),
            "p_bare": p_of(held.nulls, NOTES, int(scores[~own].max(initial=0))),
            "works": len(single),
            **{f"below_{level}": int((single <= level).sum()) for level in LEVELS},
        }


def tell_unrelated(result: Result, name: str, rows: Rows) -> None:
    """False positives of the verdict and of single works, with intervals by composers."""
    wrong = np.mean([row["p"] <= 0.01 for row in rows])
    bare = np.mean([row["p_bare"] <= 0.01 for row in rows])
    low, high = interval(rows, lambda chosen: float(np.mean([r["p"] <= 0.01 for r in chosen])))
    result.add(
        f"verdict, {name}: of {len(rows)} unrelated phrases called significant at .01",
        f"{wrong:.4f}",
        f"{bare:.4f}",
        f"nothing excluded but the own work; 95% by composers {low:.4f} to {high:.4f}",
    )
    if name == "lieder":
        result.figures["verdict_fpr"] = round(float(wrong), 4)
        result.figures["verdict_fpr_high"] = round(high, 4)
    if name not in ("lieder", "tunebook"):
        return
    for level in LEVELS:

        def rate(chosen: Rows, level: float = level) -> float:
            return sum(r[f"below_{level}"] for r in chosen) / sum(r["works"] for r in chosen)

        low, high = interval(rows, rate)
        result.add(
            f"single works, {name}: unrelated pairs with p <= {level}",
            f"{rate(rows):.5f}",
            f"{level}",
            f"nominal; 95% by composers {low:.5f} to {high:.5f}",
        )
        if name == "lieder":
            result.figures[f"fpr{str(level)[2:]}"] = round(rate(rows), 5)


def interval(rows: Rows, measure: Callable[[Rows], float]) -> tuple[float, float]:
    """95% interval by drawing composers, not phrases, with replacement."""
    by: dict[str, Rows] = {}
    for row in rows:
        by.setdefault(row["composer"], []).append(row)
    groups = list(by.values())
    rng = np.random.Generator(np.random.Philox(key=[0, 0]))
    values = []
    for _ in range(BOOTSTRAPS):
        picked = rng.integers(len(groups), size=len(groups))
        values.append(measure([row for k in picked for row in groups[int(k)]]))
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


ASKED = (
    ("exact, all lines", False, 0.0),
    ("20% edits, all lines", False, 0.2),
    ("exact, voices", True, 0.0),
    ("20% edits, voices", True, 0.2),
)


def quoted(held: Judge, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Quotations of the target, exact and edited; then decoys, about which nothing should be said."""
    target = held.target
    alive = target.index.alive
    kinds = ("line",) if target.name == "tunebook" else ("line", "skyline", "top")
    every = [s for s in queries.sources(target, kinds, 64) if alive[s.work]]
    voices = [s for s in queries.sources(target, ("line",), 64) if alive[s.work]] or every
    rng = np.random.Generator(np.random.Philox(key=[seed, 2]))
    for kind, vocal, share in ASKED:
        pool = voices if vocal else every
        for _ in range(count):
            source = pool[int(rng.integers(len(pool)))]
            passage = queries.cut(target, source, NOTES, rng)
            yield {
                "kind": kind,
                **_judged(held, *queries.edited(*passage, share, rng), source.work),
            }
    known = decoys.chain(held.source)
    for number in range(4 * count):
        pitch, onset = decoys.decoy(known, NOTES, 1 + seed, number)
        yield {"kind": "decoy", **_judged(held, pitch, onset, -1)}


def _judged(held: Judge, pitch: Ints, onset: Ints, work: int) -> dict[str, Any]:
    """p of a line, whether its own work reaches the best score, and how many works hold it."""
    line = search.line_from(pitch, onset)
    index = held.target.index
    scores = search.exhaustive(index, line).works
    test = describe.test_of([line], scores[None, :], held.nulls)
    best = int(scores.max())
    right = work >= 0 and int(scores[index.cluster == index.cluster[work]].max()) == best
    common = len(np.unique(index.cluster[scores >= describe.SHARED * best]))
    return {"p": test.p or 1.0, "right": right, "common": common}


def tell_quoted(result: Result, name: str, rows: Rows) -> None:
    """Power, what common stock explains of what is not told, and decoys."""
    figures = {"exact, voices": "verdict_power_exact16", "20% edits, voices": "verdict_power_16_20"}
    for kind, _, _ in ASKED:
        mine = [row for row in rows if row["kind"] == kind]
        told = [row["p"] <= 0.01 and row["right"] for row in mine]
        missed = [row["common"] >= COMMON for row, yes in zip(mine, told, strict=True) if not yes]
        share = float(np.mean(missed)) if missed else 0.0
        result.add(
            f"verdict, {name}: quotations of {NOTES} notes told, {kind}",
            f"{np.mean(told):.3f}",
            f"{share:.3f}",
            f"of the {len(missed)} others, held by {COMMON} works or more",
        )
        if name == "lieder" and kind in figures:
            result.figures[figures[kind]] = round(float(np.mean(told)), 4)
    quiet = float(np.mean([row["p"] > 0.01 for row in rows if row["kind"] == "decoy"]))
    result.add(f"verdict, {name}: Markov decoys told no match", f"{quiet:.4f}")
    if name == "lieder":
        result.figures["decoy_nothing"] = round(quiet, 4)


def shuffled(held: Judge, seed: int, pairs: int, shuffles: int = 999) -> Iterator[dict[str, Any]]:
    """The usual test on unrelated pairs: the phrase's notes shuffled, the plain score again."""
    index, source = held.target.index, held.source
    related = Related(held.target, source)
    rng = np.random.Generator(np.random.Philox(key=[seed, 4]))
    for _ in range(pairs):
        one = held.pool[int(rng.integers(len(held.pool)))]
        away = related.mask(one.work)
        other = held.pool[int(rng.integers(len(held.pool)))]
        while away[other.work]:
            other = held.pool[int(rng.integers(len(held.pool)))]
        pitch, onset = queries.cut(source, one, NOTES, rng)
        part = index.segments[other.segment]
        length = len(part.line(other.stream)[0])
        gaps = np.append(np.diff(onset), 0)

        def score(order: Ints, pitch: Ints = pitch, gaps: Ints = gaps) -> int:
            times = np.concatenate(([0], np.cumsum(gaps[order][:-1])))
            line = queries.plain_line(pitch[order], np.maximum.accumulate(times))
            return search.trace(part, other.stream, line, 0, length).score  # noqa: B023

        mine = score(np.arange(NOTES))
        above = sum(score(rng.permutation(NOTES)) >= mine for _ in range(shuffles))
        yield {"p": (1 + above) / (1 + shuffles)}


def tell_shuffled(result: Result, rows: Rows) -> None:
    """What the shuffle test makes of unrelated pairs."""
    for level in LEVELS:
        share = float(np.mean([row["p"] <= level for row in rows]))
        result.add(
            f"shuffle test, lieder: unrelated pairs with p <= {level}",
            f"{share:.4f}",
            f"{level}",
            f"nominal; the usual test, {len(rows)} pairs",
        )
        result.figures[f"shuffle_fpr{str(level)[2:]}"] = round(share, 4)
