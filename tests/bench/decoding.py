"""Notes a second on one thread, beside the network as it was trained, without a cache."""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musai.transformer import Player
from musai.transformer.checkpoint import load
from musai.transformer.engine import Cache, Engine
from musai.transformer.network import Network
from musai.transformer.request import Request
from tests.bench.server import motif
from tests.bench.table import Result, save_rows

SECONDS = 20.0
BARS = 8
REFERENCE_ROWS = 96


def measure(model: str | None, seed: int) -> Result:
    """Answers of eight bars to motifs until the time is up."""
    result = Result()
    player = Player.open(model)
    player.play(Request(bars=1, seed=seed))
    rows: list[dict[str, Any]] = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        request = Request("answer", BARS, seed + len(rows), motif(seed, len(rows)))
        started = time.perf_counter()
        notes = list(player.generate(request))
        seconds = time.perf_counter() - started
        rows.append({"request": len(rows), "notes": len(notes), "seconds": seconds})
    save_rows("decoding", rows)
    total = sum(row["notes"] for row in rows)
    rate = total / sum(row["seconds"] for row in rows)
    result.figures["notes_per_s"] = round(rate, 1)
    slow, error = _reference(model, seed)
    result.add(
        f"notes a second, one thread, {len(rows)} answers of {BARS} bars",
        f"{rate:.0f}",
        f"{slow:.0f} rows/s",
        f"torch, float64, no cache; logits differ by {error:.1e} at most",
    )
    return result


def _rows(seed: int) -> NDArray[np.int16]:
    """Rows of events with any legal values: only their number counts here."""
    from musai.transformer import vocabulary as v

    rng = np.random.Generator(np.random.Philox(seed))
    columns = [rng.integers(0, size, REFERENCE_ROWS) for size in v.INPUTS.values()]
    return np.stack(columns, axis=1).astype(np.int16)


def _reference(model: str | None, seed: int) -> tuple[float, float]:
    """Rows a second of the trained network read anew for each row, and the largest difference."""
    loaded = load(model)
    weights = {name: torch.from_numpy(w).double() for name, w in loaded.weights.items()}
    network = Network(loaded.shape, weights)
    engine = Engine(loaded.shape, loaded.weights)
    cache, rows, error = Cache(engine), _rows(seed), 0.0
    field = loaded.shape.outputs[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = 0.0
    with torch.no_grad():
        for count in range(1, len(rows) + 1):
            fast = engine.logits(field, cache.read(rows[count - 1 : count]))
            started = time.perf_counter()
            state = network.states(torch.from_numpy(rows[None, :count]))[0, -1]
            slow = network.field_logits(field, state).numpy()
            seconds += time.perf_counter() - started
            error = max(error, float(np.abs(fast - slow).max()))
    torch.set_num_threads(threads)
    return len(rows) / seconds, error
