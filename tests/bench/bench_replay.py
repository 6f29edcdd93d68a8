"""`make bench-replay`: does every phrase come out again, here and under other arithmetic?

1,000 phrases recorded in one process and replayed in another; then some of them with the variables
that change numpy's arithmetic, and the trained network in torch with those that change torch's; then three
controls that must come out DIVERGED.  `--study` is the long one: 10,000 phrases in shards, each done once; its rows are kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from musai.evidence.replay import CHANGE, TAU
from musai.transformer import checkpoint
from tests.bench.replay_controls import controls
from tests.bench.table import OUT

DECODER: dict[str, dict[str, str]] = {
    "OPENBLAS_CORETYPE=Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "OPENBLAS_CORETYPE=Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "OPENBLAS_CORETYPE=Sandybridge": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "OPENBLAS_NUM_THREADS=2": {"OPENBLAS_NUM_THREADS": "2"},
    "NPY_DISABLE_CPU_FEATURES": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
}
"""Environments that change numpy's arithmetic, on x86."""

REFERENCE: dict[str, dict[str, str]] = {
    "torch, as it is": {},
    "ATEN_CPU_CAPABILITY=default": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL_CBWR=COMPATIBLE": {"MKL_CBWR": "COMPATIBLE"},
    "ONEDNN_MAX_CPU_ISA=SSE41": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "OMP_NUM_THREADS=2": {"OMP_NUM_THREADS": "2"},
}
"""Environments that change torch's arithmetic."""

BUILD = "this build, a new process"
SHARD, FEW = 500, 170
"""Phrases of a shard of the study, and how many of them are played in each other environment (in torch an
eighth): a million draws in 10,000 phrases."""

CAPTURED = 20
"""Phrases whose scores are compared one by one between the decoder's environments."""


def part(role: str, env: dict[str, str], *arguments: object) -> dict[str, Any]:
    """One process of `replay_parts`; its answer, with the seconds it took."""
    plain = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.bench.replay_parts", role, *map(str, arguments)]
    began = time.monotonic()
    done = subprocess.run(
        command, env=os.environ | plain | env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{role} under {env}: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**told, "seconds": round(time.monotonic() - began, 1)}


def shard(file: Path, seed: int, first: int, count: int, few: int) -> list[dict[str, Any]]:
    """Rows of one shard: recorded, replayed on this build, and some under other arithmetic."""
    jobs = [("recorded", "record", {}, (count, first))]
    jobs.append((BUILD, "replay", {}, (count,)))
    jobs += [(name, "replay", env, (few,)) for name, env in DECODER.items()]
    less = max(1, few // 8)
    jobs += [(name, "reference", env, (less,)) for name, env in REFERENCE.items()]
    rows = []
    for what, role, env, more in jobs:
        rows.append({"what": what, **part(role, env, file, seed, *more)})
        _say(rows[-1])
    return rows


def decoder_change(file: Path, seed: int) -> float:
    """The largest difference of a score between the decoder's environments."""
    with tempfile.TemporaryDirectory() as place:
        plain = Path(place) / "plain.npy"
        part("scores", {}, file, seed, CAPTURED, plain)
        worst = 0.0
        for name, env in DECODER.items():
            out = Path(place) / "other.npy"
            part("scores", env, file, seed, CAPTURED, out)
            change = float(np.abs(np.load(plain) - np.load(out)).max())
            _say({"what": f"scores, {name}", "change": change})
            worst = max(worst, change)
    return worst


def figures(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Sums: phrases and exact on this build, draws and flips under other arithmetic."""
    build = [row for row in rows if row["what"] == BUILD]
    other = [row for row in rows if row["what"] in {*DECODER, *REFERENCE}]
    return {
        "phrases": sum(row["phrases"] for row in build),
        "exact": sum(row["exact"] for row in build),
        "draws": sum(row["draws"] for row in other),
        "flips": sum(row["flips"] for row in other),
    }


def table(rows: list[dict[str, Any]]) -> list[str]:
    """A Markdown table, a row an environment, shards added up."""
    lines = ["| environment | phrases | exact | draws | flips | largest change |"]
    lines.append("|---|---|---|---|---|---|")
    for name in dict.fromkeys(row["what"] for row in rows):
        mine = [row for row in rows if row["what"] == name]
        exact = sum(row["exact"] for row in mine) if "exact" in mine[0] else ""
        flips = sum(row["flips"] for row in mine) if "flips" in mine[0] else ""
        change = max((row.get("change", 0.0) for row in mine), default=0.0)
        told = f"{change:.1e}" if change else ""
        phrases, draws = (sum(row.get(key, 0) for row in mine) for key in ("phrases", "draws"))
        lines.append(f"| {name} | {phrases:,} | {exact} | {draws:,} | {flips} | {told} |")
    return lines


def study(place: Path, seed: int, phrases: int, size: int) -> list[dict[str, Any]]:
    """All shards, those that are done read from disk."""
    place.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for first in range(0, phrases, size):
        kept = place / f"rows-{seed}-{first}-{size}-{FEW}.json"
        if not kept.is_file():
            found = shard(place / "recorded.json.gz", seed, first, size, FEW)
            beside = kept.with_suffix(".new")
            beside.write_text(json.dumps(found), encoding="utf-8")
            beside.replace(kept)
        rows += json.loads(kept.read_text(encoding="utf-8"))
        _say({"phrases done": first + size, "of": phrases})
    return rows


def _say(row: dict[str, Any]) -> None:
    print(f"{time.strftime('%H:%M:%S')} {row}", file=sys.stderr, flush=True)


def main() -> None:
    """Run the bench, or the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--phrases", type=int, default=1000)
    parser.add_argument(
        "--few", type=int, default=340, help="phrases an environment; an eighth of them in torch"
    )
    parser.add_argument("--study", action="store_true")
    chosen = parser.parse_args()
    # A shard is done for one model; another one's rows are not its own.
    place = OUT / ("study-replay" if chosen.study else "replay") / checkpoint.load().model_id[:12]
    if chosen.study:
        rows = study(place, chosen.seed, max(10_000, chosen.phrases), SHARD)
    else:
        rows = shard(place / "recorded.json.gz", chosen.seed, 0, chosen.phrases, chosen.few)
    change = decoder_change(place / "recorded.json.gz", chosen.seed)
    outcomes = controls(chosen.seed)
    print("\n".join(table(rows)))
    print(f"\nlargest change of a score in the decoder: {change:.1e}; calibrated: {CHANGE:.1e}, ")
    print(f"tau {TAU:.1e}")
    for name, outcome in outcomes.items():
        print(f"control, {name}: {outcome.verdict}: {outcome.says}")
    caught = sum(outcome.verdict == "DIVERGED" for outcome in outcomes.values())
    print(json.dumps({**figures(rows), "controls_caught": caught}))


if __name__ == "__main__":
    main()
