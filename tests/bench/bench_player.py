"""`make bench-player`: the player in figures, beside its peers; raw rows in out/bench/, JSON as the last line.

    serve    from the start of `musai serve` to its first answer; memory at rest; requests over OSC
    decode   notes a second, four voices against the clock, how far from reading the weights once
    guard    what it costs on a million notes, and an exhaustive search of what it let through
    peers    notochord and midigpt from the registry, random weights, in .clean/peers
    quality  what the model's card says; what nobody has measured is null

`--only serve,decode` runs some; one thread throughout, as the server does.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import psutil  # noqa: E402

from tests.bench import player_decode, player_guard, player_peers, player_quality, player_serve  # noqa: E402
from tests.bench.main import corpus_in  # noqa: E402
from tests.bench.table import OUT, Result, show  # noqa: E402


def main() -> None:
    """Run the parts and print the table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model")
    parser.add_argument("--only", default="", help="parts to run, apart by commas")
    parser.add_argument("--phrases", type=int, default=500, help="phrases searched a guard")
    chosen = parser.parse_args()
    place = (OUT / "home").absolute()
    corpus_in(place)
    os.environ["MUSAI_HOME"] = str(place)
    parts: dict[str, Callable[[], Result]] = {
        "serve": lambda: player_serve.measure(place, chosen.model, chosen.seed),
        "decode": lambda: player_decode.measure(chosen.model, chosen.seed),
        "guard": lambda: player_guard.measure(place, chosen.model, chosen.seed, chosen.phrases),
        "peers": player_peers.measure,
        "quality": lambda: player_quality.measure(chosen.model),
    }
    wanted = [name for name in chosen.only.split(",") if name] or list(parts)
    started, results = time.monotonic(), []
    for name in wanted:
        print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
        results.append(parts[name]())
    print(
        f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {psutil.getloadavg()[0]:.1f}, seed {chosen.seed}, raw rows in {OUT}/\n"
    )
    show(results)
    figures: dict[str, float | int | None] = {"seed": chosen.seed}
    for result in results:
        figures |= result.figures
    figures["seconds"] = round(time.monotonic() - started, 1)
    print("\n" + json.dumps(figures))


if __name__ == "__main__":
    main()
