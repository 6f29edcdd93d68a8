"""notochord with random weights: one event fed and the next one asked for.  Run in a place of its own.

Prints one JSON object: figures, and how they were measured.
"""

import json
import time

import torch
from notochord import Notochord

EVENTS = 200


def main() -> None:
    """Feed and query, event after event."""
    torch.set_num_threads(1)
    model = Notochord().eval()
    model.reset()
    times = []
    with torch.inference_mode():
        event = {"inst": 1, "pitch": 60, "time": 0.1, "vel": 90.0}
        for number in range(EVENTS + 20):
            started = time.perf_counter()
            model.feed(event["inst"], event["pitch"], event["time"], event["vel"])
            said = model.query()
            if number >= 20:
                times.append(1000 * (time.perf_counter() - started))
            # Random weights say anything: what is fed stays music.
            event = {"inst": 1, "pitch": 60 + number % 12, "time": 0.1, "vel": 90.0 * (number % 2)}
            assert {"inst", "pitch"} <= set(said)
    times.sort()
    print(json.dumps({
        "figures": {
            "notochord_event_ms": round(times[len(times) // 2], 2),
            "notochord_event_ms_p95": round(times[int(0.95 * len(times))], 2),
        },
        "how": f"feed and query, {sum(p.numel() for p in model.parameters()):,} parameters, torch "
        f"{torch.__version__}",
    }))  # fmt: skip


if __name__ == "__main__":
    main()
