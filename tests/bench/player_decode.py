"""Notes a second on one thread, four voices against the clock, and the limit that memory sets."""

import time

import numpy as np

from musai.transformer import Player
from musai.transformer.engine import Cache
from musai.transformer.request import Request
from tests.bench.decoding import _rows
from tests.bench.server import motif
from tests.bench.table import Result, save_rows

SECONDS = 12.0


def measure(model: str | None, seed: int) -> Result:
    """Answers of eight bars to motifs, then chorales of sixteen bars at 120."""
    result, player = Result(), Player.open(model)
    player.play(Request(bars=1, seed=seed))
    rows = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        request = Request("answer", 8, seed + len(rows), motif(seed, len(rows)))
        times = [time.perf_counter()]
        times += [time.perf_counter() for _ in player.generate(request)]
        rows.append(
            {"request": len(rows), "notes": len(times) - 2, "seconds": times[-1] - times[1]}
        )
    save_rows("player_decode", rows)
    rate = sum(row["notes"] for row in rows) / sum(row["seconds"] for row in rows)
    result.figures["notes_per_s"] = round(rate, 1)
    result.add("notes a second after the first, one thread", f"{rate:.0f}", "600", "bar")
    factor = _realtime(player, seed)
    result.figures["realtime_factor"] = round(factor, 1)
    result.add("four voices at 120, times real time", f"{factor:.0f}", "30", "bar")
    step, read = _step(player), _read(player)
    result.figures["fraction_of_bandwidth_limit"] = round(read / step, 3)
    result.add("one step of the decoder, all four fields", f"{1000 * step:.3f} ms",
               f"{1000 * read:.3f} ms", "its weights read once by products with a vector")  # fmt: skip
    return result


def _realtime(player: Player, seed: int) -> float:
    music = spent = 0.0
    for number in range(4):
        request = Request(bars=16, seed=seed + number, tempo=120, collection=_four(player))
        started = time.perf_counter()
        phrase = player.play(request)
        spent += time.perf_counter() - started
        music += phrase.length / 480 / 2
    return music / spent


def _four(player: Player) -> str | None:
    return "bach-chorales" if "bach-chorales" in player.collections else None


def _step(player: Player) -> float:
    """Seconds of reading one event and saying the logits of the next, 100 events cached: the median."""
    engine, rows = player._engine, _rows(7)
    cache = Cache(engine)
    cache.read(np.concatenate([rows, rows[:4]]))
    times = []
    for number in range(300):
        started = time.perf_counter()
        state = cache.read(rows[number % 90 : number % 90 + 1])
        for field in engine.shape.outputs[:4]:
            engine.logits(field, state)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def _read(player: Player) -> float:
    """Seconds of one matrix-vector product with every matrix that a step uses: the median."""
    engine = player._engine
    used = [
        weight
        for name, weight in engine.weights.items()
        if weight.ndim == 2 and "embed" not in name and "said" not in name
    ]
    vectors = [np.ones(weight.shape[0]) for weight in used]
    times = []
    for _ in range(300):
        started = time.perf_counter()
        for vector, weight in zip(vectors, used, strict=True):
            vector @ weight
        times.append(time.perf_counter() - started)
    return float(np.median(times))
