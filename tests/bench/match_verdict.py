"""The verdict's error rate and power, on real phrases whose relations are known."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import Matcher, describe, search, significance
from musai.match.catalogue import Catalogue
from musai.match.null import Null
from musai.match.related import Drawn, Related
from tests.bench import match_queries as queries
from tests.bench.table import Result, save_rows

NOTES = 16
LEVELS = (0.05, 0.01, 0.001)
BOOTSTRAPS = 1000

Ints = NDArray[Any]


def verdict_rows(result: Result, lieder: Matcher, tunes: Matcher, seed: int, count: int) -> None:
    """Unrelated phrases, quotations, edited quotations and decoys: Lieder, then the tunebook."""
    for name, matcher in (("lieder", lieder), ("tunebook", tunes)):
        ready = matcher.nulls.ready
        if not ready:
            result.add(f"verdict, {name}", "no null", matcher.nulls.why_not)
            continue
        kinds = ("line",) if name == "tunebook" else ("line", "skyline", "top")
        pool = queries.sources(matcher.catalogue, kinds, 64)
        rows = list(_unrelated(matcher, ready, pool, seed, count))
        save_rows(f"match_unrelated_{name}", rows)
        _tell_unrelated(result, name, rows, count)
        _tell_found(result, name, matcher, ready, pool, seed, count // 4)


def _p(ready: Sequence[Null], notes: int, score: int) -> float:
    return max(significance.phrase_p(null, notes, score) or 1.0 for null in ready)


def _unrelated(
    matcher: Matcher, ready: Sequence[Null], pool: list[queries.Source], seed: int, count: int
) -> Iterator[dict[str, Any]]:
    """Real phrases against the works that are unrelated to them, with single works' p too."""
    catalogue = matcher.catalogue
    related = Related(catalogue, catalogue)
    rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
    for _ in range(count):
        source = pool[int(rng.integers(len(pool)))]
        pitch, onset = catalogue.index.segments[source.segment].line(source.stream)
        start = int(rng.integers(len(pitch) - NOTES + 1))
        line = search.line_from(pitch[start : start + NOTES], onset[start : start + NOTES])
        found = search.exhaustive(catalogue.index, line, np.array([NOTES - 1]))
        own = related.own(source.work) | ~catalogue.index.alive
        drawn = Drawn(source.work, source.segment, source.stream, start, line)
        away = related.checked(drawn, found, own | related.mask(source.work))
        scores = found.works[0]
        p, _ = zip(
            *[significance.work_p(n, NOTES, scores, matcher._log_notes) for n in ready], strict=True
        )
        single = np.max(p, axis=0)[~away]
        row = catalogue.rows[source.work]
        yield {
            "composer": row.composer or row.title,
            "kind": catalogue.index.segments[source.segment].stream_kind[source.stream],
            "best": int(scores[~away].max()),
            "p": _p(ready, NOTES, int(scores[~away].max())),
            "p_bare": _p(ready, NOTES, int(scores[~own].max())),
            "works": len(single),
            **{f"below_{level}": int((single <= level).sum()) for level in LEVELS},
        }


def _tell_unrelated(result: Result, name: str, rows: list[dict[str, Any]], count: int) -> None:
    wrong = np.mean([row["p"] <= 0.01 for row in rows])
    bare = np.mean([row["p_bare"] <= 0.01 for row in rows])
    low, high = _interval(rows, lambda chosen: float(np.mean([r["p"] <= 0.01 for r in chosen])))
    result.add(
        f"verdict, {name}: of {count} unrelated phrases called significant at .01",
        f"{wrong:.4f}",
        f"{bare:.4f}",
        f"nothing excluded but the own work; 95% by composers {low:.4f} to {high:.4f}",
    )
    if name == "lieder":
        result.figures["verdict_fpr"] = round(float(wrong), 4)
    for level in LEVELS:

        def rate(chosen: list[dict[str, Any]], level: float = level) -> float:
            return sum(r[f"below_{level}"] for r in chosen) / sum(r["works"] for r in chosen)

        low, high = _interval(rows, rate)
        result.add(
            f"single works, {name}: unrelated pairs with p <= {level}",
            f"{rate(rows):.5f}",
            f"{level}",
            f"nominal; 95% by composers {low:.5f} to {high:.5f}",
        )
        if name == "lieder":
            result.figures[f"fpr{str(level)[2:]}"] = round(rate(rows), 5)


def _interval(rows: list[dict[str, Any]], measure: Any) -> tuple[float, float]:
    """95% interval by drawing composers, not phrases, with replacement."""
    by: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by.setdefault(row["composer"], []).append(row)
    groups = list(by.values())
    rng = np.random.Generator(np.random.Philox(key=[0, 0]))
    values = []
    for _ in range(BOOTSTRAPS):
        picked = rng.integers(len(groups), size=len(groups))
        values.append(measure([row for k in picked for row in groups[int(k)]]))
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def _tell_found(
    result: Result,
    name: str,
    matcher: Matcher,
    ready: Sequence[Null],
    pool: list[queries.Source],
    seed: int,
    count: int,
) -> None:
    """Quotations that are told, edited ones, and decoys about which nothing is said."""
    vocal = queries.sources(matcher.catalogue, ("line",), 64)
    rng = np.random.Generator(np.random.Philox(key=[seed, 2]))
    rows = []
    for kind, sources, share in (
        ("exact, all lines", pool, 0.0),
        ("20% edits, all lines", pool, 0.2),
        ("exact, voices", vocal, 0.0),
        ("20% edits, voices", vocal, 0.2),
    ):
        told = 0
        for _ in range(count):
            source = sources[int(rng.integers(len(sources)))]
            passage = queries.cut(matcher.catalogue, source, NOTES, rng)
            p, right = _judged(
                matcher.catalogue, ready, *queries.edited(*passage, share, rng), source.work
            )
            told += p <= 0.01 and right
            rows.append({"kind": kind, "p": p, "right": right})
        result.add(
            f"verdict, {name}: quotations of {NOTES} notes told, {kind}", f"{told / count:.3f}"
        )
        key = {"exact, voices": "verdict_power_exact16", "20% edits, voices": "verdict_power_16_20"}
        if name == "lieder" and kind in key:
            result.figures[key[kind]] = round(told / count, 4)
    quiet = 0
    for _ in range(4 * count):
        p, _ = _judged(
            matcher.catalogue, ready, *queries.decoy(matcher.catalogue, pool, NOTES, rng), 0
        )
        quiet += p > 0.01
        rows.append({"kind": "decoy", "p": p, "right": ""})
    result.add(f"verdict, {name}: Markov decoys told no match", f"{quiet / (4 * count):.4f}")
    if name == "lieder":
        result.figures["decoy_nothing"] = round(quiet / (4 * count), 4)
    save_rows(f"match_found_{name}", rows)


def _judged(
    catalogue: Catalogue, ready: Sequence[Null], pitch: Ints, onset: Ints, work: int
) -> tuple[float, bool]:
    """p of a line, and whether the work it is from reaches the best score."""
    line = search.line_from(pitch, onset)
    scores = search.exhaustive(catalogue.index, line).works
    test = describe.test_of([line], scores[None, :], ready)
    cluster = catalogue.index.cluster
    right = int(scores[cluster == cluster[work]].max()) == int(scores.max())
    return test.p or 1.0, right
