"""The processes of the replay bench: `python -m tests.bench.replay_parts ROLE FILE FIRST COUNT`.

Each runs under an environment of its own, set before numpy and torch are imported, and prints one
JSON object: what was recorded, or how the recorded phrases came out.
"""

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from musai.evidence.replay import TAU, played
from musai.evidence.trace import Choice, Forced
from musai.transformer import Player, Request, checkpoint
from musai.transformer.engine import Cache, Engine
from musai.transformer.plan import Plan, make_plan
from musai.transformer.prefixes import Start
from musai.transformer.sampling import Draw, Floats
from musai.transformer.walk import Walk
from tests.bench.server import motif

BARS = 4


def request_of(number: int, seed: int) -> Request:
    """Every second one from nothing, the others answers; heat and top_p vary."""
    heat = {"temperature": (1.0, 1.2)[number % 2], "top_p": (1.0, 0.95)[number // 2 % 2]}
    if number % 2:
        return Request(bars=BARS, seed=seed + number, **heat)
    return Request("answer", BARS, seed + number, motif(seed, number), **heat)


def record(file: Path, seed: int, first: int, count: int) -> dict[str, Any]:
    """Play phrases and write down their ids and choices."""
    player = Player.open()
    rows, draws = [], 0
    for number in range(first, first + count):
        phrase, recorder = played(player, request_of(number, seed))
        draws += recorder.open
        choices = [list(choice) for choice in recorder.choices]
        rows.append({"number": number, "phrase": phrase.id, "choices": choices})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(json.dumps(rows).encode(), mtime=0))
    return {"phrases": count, "draws": draws}


def recorded(file: Path, count: int) -> Iterator[tuple[int, str, list[Choice]]]:
    """The first phrases of a file: number, id, choices."""
    for row in json.loads(gzip.decompress(file.read_bytes()))[:count]:
        yield row["number"], row["phrase"], [Choice(*choice) for choice in row["choices"]]


def replayed(file: Path, seed: int, count: int) -> dict[str, Any]:
    """Play the recorded phrases freely; where a note differs, count the choices that flipped."""
    player = Player.open()
    if os.environ.get("OPENBLAS_NUM_THREADS", "1") != "1":
        # The player keeps BLAS on one thread; this row asks what more would do.
        ThreadpoolController().limit(limits=int(os.environ["OPENBLAS_NUM_THREADS"]))
    exact = draws = flips = 0
    for number, phrase_id, choices in recorded(file, count):
        request = request_of(number, seed)
        phrase, recorder = played(player, request)
        exact += phrase.id == phrase_id
        draws += recorder.open
        if recorder.choices != choices:
            flips += _flips(player, request, choices)
    return {"phrases": count, "exact": exact, "draws": draws, "flips": flips}


def _flips(player: Player, request: Request, choices: list[Choice]) -> int:
    forced = Forced(choices, TAU)
    list(player.generate(request, chooser=forced))
    return sum(lost > 0 for lost in forced.deficits)


class Capturing:
    """Gives the recorded choices back and keeps the scores that they were drawn from."""

    def __init__(self, choices: list[Choice]) -> None:
        self.forced = Forced(choices, TAU)
        self.scores: list[Floats] = []
        self.open = 0

    def __call__(self, draw: Draw, /) -> int:
        """See `Forced`."""
        self.scores.append(np.where(draw.allowed, draw.logits, 0.0))
        self.open += int(draw.allowed.sum()) > 1
        return self.forced(draw)


class Noting(Cache):
    """A cache that remembers what it read."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.noted: list[Any] = []

    def read(self, rows: Any) -> Floats:
        """See `Cache.read`."""
        self.noted.extend(rows)
        return super().read(rows)


def walked(engine: Any, request: Request, plan: Plan, cache: Any, chooser: Any) -> None:
    """One whole answer."""
    start = Start(cache, 0, np.zeros(engine.shape.width))
    walk = Walk(engine, request, plan, plan.beginning(), start, chooser)
    while not walk.done:
        walk.push(walk.draw())


def scores(file: Path, seed: int, count: int, out: Path) -> dict[str, Any]:
    """The scores of every choice of some phrases, written to `out` for comparison."""
    model = checkpoint.load()
    engine = Engine(model.shape, model.weights)
    found: list[Floats] = []
    for number, _, choices in recorded(file, count):
        request = request_of(number, seed)
        capturing = Capturing(choices)
        walked(engine, request, make_plan(request, model), Cache(engine), capturing)
        found += capturing.scores
    np.save(out, np.concatenate(found))
    return {"phrases": count, "choices": len(found)}


def reference(file: Path, seed: int, count: int) -> dict[str, Any]:
    """The trained network in torch, float64, each phrase read at once: would it draw the same?"""
    import torch

    from musai.transformer.network import Network

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    model = checkpoint.load()
    weights = {name: torch.from_numpy(w).double() for name, w in model.weights.items()}
    network, engine = Network(model.shape, weights), Engine(model.shape, model.weights)
    draws = flips = 0
    change = worst = 0.0
    for number, _, choices in recorded(file, count):
        request = request_of(number, seed)
        noting, here = Noting(engine), Capturing(choices)
        walked(engine, request, make_plan(request, model), noting, here)
        with torch.no_grad():
            rows = torch.from_numpy(np.array(noting.noted, np.int16))[None]
            looked = _Looked(network, network.states(rows)[0], network.cards(rows)[0])
            there = Capturing(choices)
            walked(looked, request, make_plan(request, model), looked, there)
        draws += there.open
        flips += sum(lost > 0 for lost in there.forced.deficits)
        worst = max(worst, *there.forced.deficits)
        pairs = zip(here.scores, there.scores, strict=True)
        change = max(change, *(float(np.abs(a - b).max()) for a, b in pairs))
    return {
        "phrases": count,
        "draws": draws,
        "flips": flips,
        "change": change,
        "worst_deficit": worst,
    }


class _Looked:
    """States and logits of torch, in the places of cache and engine; what was read is looked up."""

    def __init__(self, network: Any, states: Any, cards: Any) -> None:
        self.shape = network.shape
        self._network, self._states, self._cards, self._length = network, states, cards, 0

    def read(self, rows: Any) -> Floats:
        """The state of the last of these rows."""
        self._length += len(rows)
        state: Floats = (
            self._states[self._length - 1].numpy() if len(rows) else np.zeros(self.shape.width)
        )
        return state

    def logits(self, field: str, state: Floats) -> Floats:
        """Of one output field."""
        import torch

        found: Floats = self._network.field_logits(field, torch.from_numpy(state)).numpy()
        return found

    def said(self, field: str, choice: int) -> Floats:
        """What a choice adds to the state."""
        added: Floats = self._network.weight(f"{field}.said")[choice].numpy()
        return added

    def voiced(self, state: Floats, voice: int, card: Any) -> Floats:
        """The state from which a voice's pitch is drawn."""
        import torch

        cards = self._cards[self._length - 1 : self._length]
        voiced: Floats = (
            state + self._network.said("voice", torch.tensor([voice]), cards)[0].numpy()
        )
        return voiced


def main(arguments: list[str]) -> None:
    """ROLE FILE SEED COUNT [FIRST | OUT]."""
    role, file, seed, count, *more = arguments
    place, number, much = Path(file), int(seed), int(count)
    if role == "record":
        told = record(place, number, int(more[0]), much)
    elif role == "replay":
        told = replayed(place, number, much)
    elif role == "scores":
        told = scores(place, number, much, Path(more[0]))
    else:
        told = reference(place, number, much)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
