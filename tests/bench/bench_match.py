"""`make bench-match`: does matching find what is there, and say nothing where nothing is?

Beside a plain exhaustive Smith-Waterman in the same run.  Raw rows in
out/bench/, one JSON object as the last line.  Needs real music beside the
checkout: ../shared/data/openscore-lieder, and openscore-quartets for the rows
of several voices.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from scipy.stats import norm  # noqa: E402

from musai.corpus import Corpus  # noqa: E402
from musai.match import Matcher, search  # noqa: E402
from musai.match.catalogue import Catalogue  # noqa: E402
from musai.match.null import SIZE  # noqa: E402
from musai.match.nulls import Nulls  # noqa: E402
from tests.bench import match_queries as queries  # noqa: E402
from tests.bench.main import corpus_in  # noqa: E402
from tests.bench.match_poly import poly_rows  # noqa: E402
from tests.bench.match_verdict import verdict_rows  # noqa: E402
from tests.bench.table import OUT, Result, quantile, save_rows, show  # noqa: E402

DATA = Path("../shared/data")
LENGTHS = (8, 16, 24, 32)
EDITS = (0.0, 0.1, 0.2, 0.3)

Engine = Callable[[Any, search.Line], Any]


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--queries", type=int, default=1000, help="queries a cell")
    parser.add_argument("--phrases", type=int, default=2000, help="phrases of the verdict")
    parser.add_argument("--excerpts", type=int, default=200, help="excerpts of several voices")
    parser.add_argument("--null", type=int, default=SIZE, help="phrases of a null")
    chosen = parser.parse_args()
    place = (OUT / "home").absolute()
    tunebook = corpus_in(place)
    os.environ["MUSAI_HOME"] = str(place)
    started = time.monotonic()
    lieder = _judged(_lieder(place), chosen.null)
    tunes = _judged(tunebook, chosen.null)
    result = Result()
    retrieval(result, [lieder.catalogue, tunes.catalogue], chosen.seed, chosen.queries)
    verdict_rows(result, lieder, tunes, chosen.seed, chosen.phrases)
    quartets = DATA / "openscore-quartets"
    poly_rows(result, lieder, quartets, place, chosen.seed, chosen.excerpts)
    speed(result, tunes, chosen.seed)
    show([result])
    result.figures["minutes"] = round((time.monotonic() - started) / 60, 1)
    print(json.dumps({"seed": chosen.seed, **result.figures}))


def _lieder(place: Path) -> Corpus:
    folder = place / "corpora" / "lieder"
    if not (folder / "catalogue.jsonl").is_file():
        return Corpus.build(DATA / "openscore-lieder", folder, name="lieder")
    return Corpus.open(folder)


def _judged(corpus: Corpus, size: int) -> Matcher:
    """A matcher with its nulls of so many phrases: by the tunebook and by the corpus itself."""
    matcher = Matcher.open(corpus, null="there")
    if size != SIZE:
        references = [task.reference for task in matcher.nulls.tasks]
        folder = corpus.path / "index" / f"null-{size}"
        matcher.nulls = Nulls(matcher.catalogue, references, folder, size=size)
    matcher.nulls.build(_progress)
    return matcher


def _progress(done: int, total: int, what: str) -> None:
    if total and done % max(1, total // 10) == 0:
        print(f"{time.strftime('%H:%M:%S')} {what} {done}/{total}", file=sys.stderr, flush=True)


def retrieval(result: Result, held: list[Catalogue], seed: int, count: int) -> None:
    """R@1 by notes and edits, for both engines and the plain reference; paired tests."""
    rows: list[dict[str, Any]] = []
    pools = [
        queries.sources(held[0], ("line", "skyline"), max(LENGTHS)),
        queries.sources(held[1], ("line", "skyline"), max(LENGTHS)),
    ]
    for notes in LENGTHS:
        for share in EDITS:
            rng = np.random.Generator(np.random.Philox(key=[seed, 100 * notes + round(10 * share)]))
            cell = [_query(held, pools, notes, share, rng) for _ in range(count)]
            rows += cell
            _say_cell(cell, notes, share)
    save_rows("match_retrieval", rows)
    _cells(result, rows)


def _query(
    held: list[Catalogue],
    pools: list[list[queries.Source]],
    notes: int,
    share: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    which = int(rng.integers(len(held)))
    source = pools[which][int(rng.integers(len(pools[which])))]
    pitch, onset = queries.edited(*queries.cut(held[which], source, notes, rng), share, rng)
    row: dict[str, Any] = {"notes": notes, "edits": share, "corpus": held[which].name}
    row["work"] = held[which].index.work_ids[source.work]
    line, plain = search.line_from(pitch, onset), queries.plain_line(pitch, onset)
    for name, used, engine in (
        ("exhaustive", line, search.exhaustive),
        ("index", line, search.by_index),
        ("plain", plain, search.exhaustive),
    ):
        began = time.perf_counter()
        scores = [engine(c.index, used).works for c in held]
        row[f"{name}_ms"] = round(1000 * (time.perf_counter() - began), 3)
        row[f"{name}_first"] = _first(held, scores, which, source.work)
    return row


def _first(held: list[Catalogue], scores: list[Any], which: int, work: int) -> float:
    """1 where the source's cluster is first alone, 1/k where k clusters share the first place."""
    best = max(int(s.max()) for s in scores)
    leaders = [
        {int(cluster) for cluster in c.index.cluster[s == best]}
        for c, s in zip(held, scores, strict=True)
    ]
    if best <= 0 or int(held[which].index.cluster[work]) not in leaders[which]:
        return 0.0
    return 1.0 / sum(len(found) for found in leaders)


def _say_cell(cell: list[dict[str, Any]], notes: int, share: float) -> None:
    told = " ".join(
        f"{name} {np.mean([row[f'{name}_first'] for row in cell]):.3f}"
        for name in ("exhaustive", "index", "plain")
    )
    print(f"{notes} notes, {share:.0%} edits: {told}", file=sys.stderr, flush=True)


def _cells(result: Result, rows: list[dict[str, Any]]) -> None:
    below: dict[str, list[float]] = {"exhaustive": [], "index": []}
    for notes in LENGTHS:
        for share in EDITS:
            cell = [r for r in rows if r["notes"] == notes and r["edits"] == share]
            mean = {
                name: float(np.mean([r[f"{name}_first"] for r in cell]))
                for name in ("exhaustive", "index", "plain")
            }
            for name, found in below.items():
                found.append(_p_below(cell, name))
            result.add(
                f"R@1, {notes} notes, {share:.0%} edits (all works, index)",
                f"{mean['exhaustive']:.3f}, {mean['index']:.3f}",
                f"{mean['plain']:.3f}",
                "plain exhaustive Smith-Waterman",
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


def speed(result: Result, matcher: Matcher, seed: int, count: int = 200) -> None:
    """Milliseconds of a whole `match`, fifty hits explained, one thread; size of the index."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 5]))
    pool = queries.sources(matcher.catalogue, ("line",), 64)
    for notes in (16, 32):
        took = []
        for _ in range(count):
            source = pool[int(rng.integers(len(pool)))]
            passage = queries.cut(matcher.catalogue, source, notes, rng)
            phrase = queries.phrase_of(*queries.edited(*passage, 0.2, rng))
            began = time.perf_counter()
            matcher.match(phrase, 50)
            took.append(1000 * (time.perf_counter() - began))
        result.figures[f"ms{notes}_p50"] = round(quantile(took, 0.5), 2)
        result.figures[f"ms{notes}_p95"] = round(quantile(took, 0.95), 2)
        result.add(
            f"match of {notes} notes against tunebook, p95", f"{quantile(took, 0.95):.1f} ms"
        )
    meta = matcher.index.meta
    result.figures["bytes_per_note"] = round(meta.bytes / meta.notes, 2)
    began = time.perf_counter()
    Matcher.open(matcher.corpus, null="there")
    result.figures["open_s"] = round(time.perf_counter() - began, 3)


if __name__ == "__main__":
    main()
