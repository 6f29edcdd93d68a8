"""How often the right work comes first: by notes and edits, for both engines and a plain reference.

The reference is a plain exhaustive Smith-Waterman (`match_queries.plain_line`) in the same run; a
cell is below it where a paired one-sided test says so after Holm's correction over cells.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import norm

from musai.match import places, ranking, search
from musai.match.catalogue import Catalogue
from tests.bench import match_queries as queries
from tests.bench.match_tfidf import Tfidf
from tests.bench.table import Result, save_rows

LENGTHS = (8, 16, 24, 32)
EDITS = (0.0, 0.1, 0.2, 0.3)

Engine = Callable[[Any, search.Line], Any]


def cell_rows(
    held: list[Catalogue], notes: int, share: float, seed: int, count: int
) -> list[dict[str, Any]]:
    """The queries of one cell: who came first, by engine and by the plain reference."""
    pools = [queries.sources(c, ("line", "skyline"), max(LENGTHS)) for c in held]
    rng = np.random.Generator(np.random.Philox(key=[seed, 100 * notes + round(10 * share)]))
    grams = Tfidf(held)
    return [_query(held, pools, notes, share, rng, grams) for _ in range(count)]


def _query(
    held: list[Catalogue],
    pools: list[list[queries.Source]],
    notes: int,
    share: float,
    rng: np.random.Generator,
    grams: Tfidf,
) -> dict[str, Any]:
    which = int(rng.integers(len(held)))
    source = pools[which][int(rng.integers(len(pools[which])))]
    pitch, onset = queries.edited(*queries.cut(held[which], source, notes, rng), share, rng)
    row: dict[str, Any] = {"notes": notes, "edits": share, "corpus": held[which].name}
    row["work"] = held[which].index.work_ids[source.work]
    line, plain = search.line_from(pitch, onset), queries.plain_line(pitch, onset)
    engines: tuple[tuple[str, search.Line, Engine], ...] = (
        ("exhaustive", line, search.exhaustive),
        ("index", line, search.by_index),
        ("plain", plain, search.exhaustive),
    )
    for name, used, engine in engines:
        found = [engine(c.index, used) for c in held]
        ranked = [ranking.rank(c.index, f.works[None]) for c, f in zip(held, found, strict=True)]
        if name != "plain":
            ranked = [
                ranking.again(ranking.Lies(c.index, [used], [f]), r)
                for c, f, r in zip(held, found, ranked, strict=True)
            ]
        row[f"{name}_first"] = _first(held, ranked, which, source.work)
    cosines = zip(held, grams.scores(line.symbols), strict=True)
    ranked = [ranking.rank(c.index, s[None]) for c, s in cosines]
    row["tfidf_first"] = _first(held, ranked, which, source.work)
    return row


BARRED = ((8, 0.2), (16, 0.3))
"""Notes and edits of queries that keep their bars, as what was played to a click does."""


def barred_rows(catalogue: Catalogue, corpus: Any, seed: int, count: int) -> list[dict[str, Any]]:
    """Queries that keep their bars: is the right work first, with and without asking them?"""
    pool = queries.sources(catalogue, ("line", "skyline"), max(LENGTHS))
    rng = np.random.Generator(np.random.Philox(key=[seed, 6]))
    metres = [corpus.metre_of(work_id) for work_id in catalogue.index.work_ids]
    bars = [places.Bars.of(metre) for metre in metres]
    rows = []
    for notes, share in BARRED:
        for _ in range(count):
            source = pool[int(rng.integers(len(pool)))]
            pitch, onset = queries.cut(catalogue, source, notes, rng)
            changed, after = queries.edited(pitch, onset, share, rng, (1.0, 1.0))
            line = search.line_from(changed, onset[0] + after)
            found = search.exhaustive(catalogue.index, line)
            ranked = ranking.rank(catalogue.index, found.works[None])
            lies = ranking.Lies(catalogue.index, [line], [found])
            asked = ranking.in_bars(lies, metres[source.work], bars.__getitem__)
            row: dict[str, Any] = {"from": catalogue.name, "notes": notes, "edits": share}
            for name, heard in (("in_bars", asked), ("without", None)):
                last = ranking.again(lies, ranked, heard)
                row[name] = _first([catalogue], [last], 0, source.work)
            rows.append(row)
    return rows


def tell_barred(result: Result, rows: list[dict[str, Any]]) -> None:
    """What the bars of a phrase are worth."""
    save_rows("match_barred", rows)
    for name in dict.fromkeys(row["from"] for row in rows):
        for notes, share in BARRED:
            cell = [r for r in rows if (r["from"], r["notes"], r["edits"]) == (name, notes, share)]
            asked, without = (float(np.mean([r[x] for r in cell])) for x in ("in_bars", "without"))
            result.add(
                f"R@1, {name}, {notes} notes, {share:.0%} edits, in their bars",
                f"{asked:.3f}",
                f"{without:.3f}",
                f"bars not asked; {len(cell)} queries",
            )
            if (name, notes) == ("tunebook", 8):
                result.figures["r1_8_20_in_bars"] = round(asked, 4)
                result.figures["r1_8_20_bars_unasked"] = round(without, 4)


def _first(held: list[Catalogue], ranked: list[ranking.Ranked], which: int, work: int) -> float:
    """1 where the source's cluster is first alone, 1/k where k clusters share the first place."""
    best = max(float(r.worth.max(initial=0)) for r in ranked)
    leaders = [
        {int(c.index.cluster[w]) for w in r.best[r.worth == best]}
        for c, r in zip(held, ranked, strict=True)
    ]
    if best <= 0 or int(held[which].index.cluster[work]) not in leaders[which]:
        return 0.0
    return 1.0 / sum(len(found) for found in leaders)


def tell_cells(result: Result, rows: list[dict[str, Any]]) -> None:
    """A line a cell; how many cells are significantly below the plain reference."""
    save_rows("match_retrieval", rows)
    below: dict[str, list[float]] = {"exhaustive": [], "index": []}
    for notes in LENGTHS:
        for share in EDITS:
            cell = [r for r in rows if r["notes"] == notes and r["edits"] == share]
            mean = {
                name: float(np.mean([r[f"{name}_first"] for r in cell]))
                for name in ("exhaustive", "index", "plain", "tfidf")
            }
            for name, found in below.items():
                found.append(_p_below(cell, name))
            result.add(
                f"R@1, {notes} notes, {share:.0%} edits (all works, index)",
                f"{mean['exhaustive']:.3f}, {mean['index']:.3f}",
                f"{mean['plain']:.3f}, {mean['tfidf']:.3f}",
                "plain exhaustive Smith-Waterman, interval 4-grams by TF-IDF",
            )
            if (notes, share) == (16, 0.2):
                result.figures["r1_16_20"] = round(mean["exhaustive"], 4)
                result.figures["r1_16_20_index"] = round(mean["index"], 4)
                result.figures["r1_16_20_exhaustive"] = round(mean["plain"], 4)
    result.figures["cells_below_exhaustive"] = _holm(below["exhaustive"])
    result.figures["cells_below_exhaustive_index"] = _holm(below["index"])


def _p_below(cell: list[dict[str, Any]], name: str) -> float:
    """One-sided p that the engine is worse than the plain reference, paired."""
    gaps = np.array([row[f"{name}_first"] - row["plain_first"] for row in cell])
    if not gaps.any():
        return 1.0
    return float(norm.cdf(gaps.mean() / (gaps.std(ddof=1) / np.sqrt(len(gaps)))))


def _holm(p: list[float], level: float = 0.05) -> int:
    """Tests that Holm's procedure rejects."""
    for done, value in enumerate(sorted(p)):
        if value > level / (len(p) - done):
            return done
    return len(p)
