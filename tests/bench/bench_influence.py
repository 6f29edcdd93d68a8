"""`make bench-influence` and `make study-influence`: is what is said to have influenced a phrase what did?

Trains a model, then as many times again without a twentieth of its works, and asks each method what
that would change; see `musai.influence.truth`.  Beside ours: word search (BM25), the cosine of
gradients, TRAK by its authors' package.  Raw rows in out/bench/, one JSON object as the last line.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from musai.transformer.recipe import ENVIRONMENT

os.environ.update(ENVIRONMENT)
for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402

from musai.influence import gradients, lexical, truth  # noqa: E402
from musai.transformer.network import Network  # noqa: E402
from tests.bench.influence_runs import DROP, STUDY, TOY, Music, Trainings, left_out  # noqa: E402
from tests.bench.influence_trak import trak_scores  # noqa: E402
from tests.bench.main import corpus_in  # noqa: E402
from tests.bench.table import OUT, Result, save_rows, show  # noqa: E402


def main() -> None:
    """Run one plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--study", action="store_true", help="hours; go on where it was killed")
    parser.add_argument("--jobs", type=int, default=1, help="processes that train side by side")
    parser.add_argument("--helper", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    plan = STUDY if chosen.study else TOY
    began = time.monotonic()
    music = Music.of(corpus_in((OUT / "home").absolute()), plan)
    held = Trainings(plan, music, OUT / f"influence-{plan.name}-{chosen.seed}", chosen.seed)
    beside = [subprocess.Popen(_helper(chosen)) for _ in range(1, chosen.jobs)]
    _work(held)
    if chosen.helper:
        return
    for one in beside:
        one.wait()
    _work(held)  # what a helper left behind that was killed
    result = told(held, estimates(held))
    show([result])
    figures = {"seed": chosen.seed, "minutes": round((time.monotonic() - began) / 60, 1)}
    print(json.dumps({**figures, **result.figures, **committed(chosen.study)}))


def _helper(chosen: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "tests.bench.bench_influence", "--helper"]
    return [*command, "--seed", str(chosen.seed), *(["--study"] if chosen.study else [])]


def _work(held: Trainings) -> None:
    for done, total in held.carried_out():
        if done % 8 == 0 or done == total or held.plan.name != "toy":
            _say(f"{done} of {total} trainings and walks back")


def estimates(held: Trainings) -> dict[str, np.ndarray]:
    """What each method says, (queries, works); tier 1 by damping."""
    plan, music, recipe = held.plan, held.music, held.plan.recipe
    network = Network(recipe.shape, held.walked().end.weights)
    windows = [gradients.asked_of(piece, recipe.shape.window) for piece in music.pieces]
    asked = [[question] for question in music.questions]
    projection = gradients.Projection.of(recipe.shape)
    works = gradients.table(network, projection, windows)
    began = time.monotonic()
    queries = gradients.table(network, projection, asked)
    first = (time.monotonic() - began) / len(asked)
    _say(f"gradient of a phrase: {1000 * first:.0f} ms")
    half = slice(0, plan.queries // 2)
    damping = gradients.damping_for(works, queries[half], lambda said: lds(held, said, half).lds)
    _say(f"damping {damping:g}")
    found = {"tier1": gradients.scores(works, queries, damping)}
    found["tier3"] = held.through_training()
    found["bm25"] = lexical.scores(music.phrases[: plan.works], music.phrases[plan.works :])
    found["cosine"] = gradients.cosine(works, queries)
    trak = trak_scores(network, windows, asked, held.seed)
    if trak is not None:
        found["trak"] = trak
    return found


def lds(held: Trainings, said: np.ndarray, part: slice, kind: str = "work") -> truth.Reliability:
    """LDS of scores (queries of the part, works) against the trainings of a kind."""
    count = held.plan.by_owner if kind == "owner" else held.plan.by_work
    subsets = left_out(held.plan, kind, held.seed)[:count]
    came = held.changes(kind, held.seed)[:, part]
    return truth.reliability(truth.foretold(said, subsets), came)


def told(held: Trainings, scores: dict[str, np.ndarray]) -> Result:
    """LDS of every method on the second half of the queries; the first half chose the damping."""
    plan, result, half = held.plan, Result(), held.plan.queries // 2
    tested, rows = slice(half, None), []
    for name, found in scores.items():
        one = lds(held, found[tested], tested)
        owner = lds(held, found[tested], tested, "owner")
        figure = "lds_tier3_toy" if name == "tier3" and plan.name == "toy" else f"lds_{name}"
        for end, value in (("", one.lds), ("_low", one.low), ("_high", one.high)):
            result.figures[figure + end] = round(value, 3)
        result.figures[f"{figure}_owners"] = round(owner.lds, 3)
        result.add(f"{name}, works", f"{one.lds:.3f} ({one.low:.3f} to {one.high:.3f})")
        result.add(f"{name}, owners", f"{owner.lds:.3f} ({owner.low:.3f} to {owner.high:.3f})")
        rows += [{"method": name, "query": q, "lds": v} for q, v in enumerate(one.by_query, half)]
    save_rows(f"influence-{plan.name}", rows)
    _about_the_runs(held, held.changes("work", held.seed), tested, result)
    return result


def _about_the_runs(held: Trainings, came: np.ndarray, tested: slice, result: Result) -> None:
    plan = held.plan
    other = held.changes("work", held.seed + 1)
    same = came[: len(other)]
    ceiling = truth.reliability(other[:, tested], same[:, tested]).lds
    halves = held.changes("work", held.seed, 0.5)
    whole = came[: len(halves)]
    moved = np.abs(whole) / np.abs(whole).sum()
    smooth = float((np.sign(halves) * np.sign(whole - halves) * moved).sum())
    notes = [int((q[1][..., 2] >= 0).sum()) for q in held.music.questions]
    bits = [-v / np.log(2) / n for v, n in zip(held.held()[_first(held)], notes, strict=True)]
    result.add(
        "another seed's changes, works", f"{ceiling:.3f}", "", "what a reseeding leaves of it"
    )
    result.add("smoothness of training", f"{smooth:.2f}", "1", "perfectly smooth")
    result.add("bits a note on what is asked", f"{np.mean(bits):.2f}")
    result.figures |= {
        "noise_ceiling": round(ceiling, 3),
        "smoothness": round(smooth, 3),
        "bits_per_note": round(float(np.mean(bits)), 2),
        "drop": DROP,
        "parameters": plan.recipe.shape.parameters,
        "works": plan.works,
        "subsets": plan.by_work,
        "queries": plan.queries - plan.queries // 2,
    }
    result.figures["unit"] = "work"  # type: ignore[assignment]


def _first(held: Trainings):
    return next(run for run in held.held() if run.seed == held.seed and run.subset < 0)


def committed(study: bool) -> dict[str, float]:
    """The study's own figures from its committed table, where there is one."""
    path = Path(__file__).parent / "results" / "influence-study.json"
    if study or not path.exists():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))
    names = ("lds_tier1", "lds_tier1_low", "lds_bm25_high", "lds_tier3", "noise_ceiling")
    return {f"study_{n.removeprefix('noise_')}": held[n] for n in names}


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
