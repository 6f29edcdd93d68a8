"""`make bench-match`: does matching find what is there, and say nothing where nothing is?

Beside references in the same run: a plain exhaustive Smith-Waterman, interval
4-grams by TF-IDF, the shuffle test, a simple global alignment.  Two processes
share the work; what is timed is timed alone.  Raw rows in out/bench/, one JSON
object as the last line.  Needs real music beside the checkout: ../shared/data.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

from musai.corpus import Corpus  # noqa: E402
from tests.bench import match_jobs as jobs  # noqa: E402
from tests.bench.main import corpus_in  # noqa: E402
from tests.bench.match_poly import tell_poly  # noqa: E402
from tests.bench.match_retrieval import EDITS, LENGTHS, tell_barred, tell_cells  # noqa: E402
from tests.bench.match_sizes import sizes, speed  # noqa: E402
from tests.bench.match_style import style_rows  # noqa: E402
from tests.bench.match_verdict import tell_quoted, tell_shuffled, tell_unrelated  # noqa: E402
from tests.bench.match_whole import tell_experts  # noqa: E402
from tests.bench.table import OUT, Result, save_rows, show  # noqa: E402

Job = tuple[str, tuple[Any, ...]]
Rows = list[dict[str, Any]]


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--queries", type=int, default=1000, help="queries a cell")
    parser.add_argument("--phrases", type=int, default=2000, help="phrases of the verdict")
    parser.add_argument("--excerpts", type=int, default=200, help="excerpts of several voices")
    parser.add_argument("--null", type=int, default=jobs.SIZE, help="phrases of a null")
    parser.add_argument("--without-style", action="store_true")
    chosen = parser.parse_args()
    started = time.monotonic()
    place = (OUT / "home").absolute()
    corpus_in(place)
    os.environ["MUSAI_HOME"] = str(place)
    for name, folder in jobs.FOLDERS.items():
        if not (place / "corpora" / name / "catalogue.jsonl").is_file():
            _say(f"reading {folder}")
            Corpus.build(folder, place / "corpora" / name, name=name)
    found = run(_asked(chosen.seed, chosen))
    result = Result()
    _tell(result, found, chosen)
    _say("speed and size")
    speed(result, Corpus.open(place / "corpora" / "tunebook"), chosen.seed)
    sizes(result, Corpus.open(place / "corpora" / "tunebook"), place)
    if not chosen.without_style:
        _say("style")
        style_rows(result, place, chosen.seed)
    show([result])
    result.figures["minutes"] = round((time.monotonic() - started) / 60, 1)
    print(json.dumps({"seed": chosen.seed, **result.figures}))


def _asked(seed: int, chosen: argparse.Namespace) -> list[list[Job]]:
    """All jobs in stages: what a stage makes, the next one reads.  Longest first."""
    nulls: list[Job] = [("null", (*pair, chosen.null)) for pair in jobs.NULLS]
    small: list[Job] = [("small_null", (size, k, chosen.null)) for size, k in jobs.SMALL]
    rows: list[Job] = [("experts", (jobs.ALIGNMENTS,))]
    rows += [
        ("cell", (notes, share, seed, chosen.queries))
        for notes in reversed(LENGTHS)
        for share in EDITS
    ]
    rows += [("barred", (name, seed, chosen.queries // 4)) for name in ("lieder", "tunebook")]
    rows += [("poly", (name, seed, chosen.excerpts // 2)) for name in ("lieder", "quartets")]
    rows.append(("shuffled", (seed, max(20, chosen.phrases // 10), chosen.null)))
    for name in ("lieder", "tunebook"):
        rows.append(("unrelated", (name, seed, chosen.phrases, chosen.null)))
        rows.append(("quoted", (name, seed, chosen.phrases // 4, chosen.null)))
    few = max(10, chosen.phrases // 2)
    rows += [("small", (size, k, seed, few, chosen.null)) for size, k in jobs.SMALL]
    return [nulls + small, rows]


def run(stages: list[list[Job]]) -> dict[Job, Any]:
    """Every job's rows; two spawned processes take them one by one."""
    found: dict[Job, Any] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for stage in stages:
            asked = {pool.submit(jobs.do, name, *values): (name, values) for name, values in stage}
            for future in as_completed(asked):
                job = asked[future]
                found[job] = future.result()
                _say(f"{len(found)} of {sum(map(len, stages))}: {job[0]} {job[1]}")
    return found


def _tell(result: Result, found: dict[Job, Any], chosen: argparse.Namespace) -> None:
    def rows(name: str, *first: Any) -> Rows:
        held = (v for (n, args), v in found.items() if n == name and args[: len(first)] == first)
        return [row for part in held for row in part]

    tell_cells(result, rows("cell"))
    tell_barred(result, rows("barred"))
    tell_poly(result, rows("poly"))
    tell_experts(result, rows("experts"))
    tell_shuffled(result, rows("shuffled"))
    for name in ("lieder", "tunebook"):
        save_rows(f"match_unrelated_{name}", rows("unrelated", name))
        save_rows(f"match_quoted_{name}", rows("quoted", name))
        tell_unrelated(result, name, rows("unrelated", name))
        tell_quoted(result, name, rows("quoted", name))
    for size in sorted({size for size, _ in jobs.SMALL}):
        held = rows("small", size)
        save_rows(f"match_catalogues_of_{size}", _alike(held))
        name = "catalogues of 1 song" if size == 1 else f"catalogues of {size} songs"
        tell_unrelated(result, name, [row for row in held if "works" in row])
        tell_quoted(result, name, [row for row in held if "works" not in row])


def _alike(rows: Iterable[dict[str, Any]]) -> Rows:
    """Rows of two kinds with all columns of both."""
    held = list(rows)
    columns = dict.fromkeys(name for row in held for name in row)
    return [{name: row.get(name, "") for name in columns} for row in held]


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
