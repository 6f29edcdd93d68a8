"""`make bench`: how fast musai is, in one table; raw rows in out/bench/, JSON as the last line."""

import argparse
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

# Before numpy is imported: one thread, as the server uses.
for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import psutil  # noqa: E402

from musai.corpus import Corpus  # noqa: E402
from musai.corpus.tunebook import build_tunebook  # noqa: E402
from musai.folders import home  # noqa: E402
from tests.bench import decoding, matching, server  # noqa: E402
from tests.bench.table import OUT, Result, show  # noqa: E402

NAME = "tunebook"


def corpus_in(place: Path) -> Corpus:
    """The tunebook in a home of our own: copied from the user's, or built."""
    folder = place / "corpora" / NAME
    if not (folder / "catalogue.jsonl").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        mine = home() / "corpora" / NAME
        if (mine / "catalogue.jsonl").is_file():
            shutil.copytree(mine, folder)
        else:
            _say("building the tunebook, once")
            build_tunebook(folder)
    return Corpus.open(folder)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model")
    chosen = parser.parse_args()
    place = (OUT / "home").absolute()
    corpus = corpus_in(place)
    os.environ["MUSAI_HOME"] = str(place)
    started = time.monotonic()
    results: list[Result] = []
    parts = (
        ("index", lambda: matching.measure_index(corpus)),
        ("matching", lambda: matching.measure(corpus, chosen.seed)),
        ("decoding", lambda: decoding.measure(chosen.model, chosen.seed)),
        ("first note", lambda: server.measure(place, chosen.model, chosen.seed)),
    )
    for name, part in parts:
        _say(name)
        results.append(part())
    print(
        f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(f"load {psutil.getloadavg()[0]:.1f}, seed {chosen.seed}, raw rows in {OUT}/\n")
    show(results)
    figures: dict[str, float | int] = {"seed": chosen.seed}
    for result in results:
        figures |= result.figures
    figures["seconds"] = round(time.monotonic() - started, 1)
    print("\n" + json.dumps(figures))


if __name__ == "__main__":
    main()
