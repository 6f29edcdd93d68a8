"""The peers as the registry serves them, random weights, one thread, in a place of their own.

What cannot be installed or run is said in the table, and its figures are null.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.jam_peers import PLACE, installed
from tests.bench.table import Result

HERE = Path(__file__).parent
SCRIPTS = {"notochord 0.8.0": HERE / "peer_notochord.py", "midigpt 0.4.2": HERE / "peer_midigpt.py"}
FIGURES = ("notochord_event_ms", "midigpt_first_note_ms", "midigpt_tokens_per_s")


def measure() -> Result:
    """Install where needed, run each, report."""
    result = Result(figures=dict.fromkeys(FIGURES))  # type: ignore[arg-type]
    failed = installed()
    for name, script in SCRIPTS.items():
        told = {"error": failed} if failed else _run(script)
        if "error" in told:
            result.add(name, "not measured", "", str(told["error"])[:160])
            continue
        for key, value in told["figures"].items():
            result.figures[key] = value
            result.add(
                f"{name}, {key}", f"{value}", "", "random weights, one thread; " + told["how"]
            )
    return result


def _run(script: Path) -> dict[str, Any]:
    done = subprocess.run(
        [str(PLACE / "bin" / "python"), str(script)], capture_output=True, text=True, timeout=300,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    told: dict[str, Any] = json.loads(lines[-1])
    return told
