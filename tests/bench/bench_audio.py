"""How well a sung prompt is heard: note F1 on the voices of songs, rendered, with noise added.

`make bench-audio`; `python -m tests.bench.bench_audio`.  Needs real music beside the checkout
(../shared/data/openscore-lieder), fluidsynth and a soundfont.
"""

import argparse
import json
import shutil
import time
from typing import Any

import mir_eval
import numpy as np

from musai.errors import BadInput
from musai.music import audio
from musai.music.sung import Heard
from tests.bench.sung import RATE, Line, lines, noisy, rendered, soundfont
from tests.bench.table import Result, save_rows, show

PROGRAMS = {53: "voice oohs", 73: "flute"}
NOISE: tuple[float | None, ...] = (None, 20.0, 10.0)
ONSET_SECONDS = 0.05


def scored(line: Line, heard: Heard) -> dict[str, float]:
    """Precision, recall and F1 of notes: onset within 50 ms, pitch within half a semitone."""
    if len(heard.onsets) == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    precision, recall, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
        np.c_[line.onsets, np.maximum(line.ends, line.onsets + 0.01)],
        mir_eval.util.midi_to_hz(line.pitches.astype(float)),
        np.c_[heard.onsets, heard.ends],
        mir_eval.util.midi_to_hz(heard.pitches.astype(float)),
        onset_tolerance=ONSET_SECONDS,
        offset_ratio=None,
    )
    return {"precision": precision, "recall": recall, "f1": f1}


def row_of(line: Line, program: int, decibels: float | None, seed: int) -> dict[str, Any]:
    """One line heard once."""
    sound = audio.resampled(noisy(rendered(line, program), decibels, seed), RATE)
    started = time.process_time()
    try:
        heard = audio.listen(sound)
    except BadInput:
        heard = Heard(*(np.zeros(0) for _ in range(2)), np.zeros(0, np.int64), np.zeros(0))
    seconds = time.process_time() - started
    found = audio.tempo_of(heard.onsets)
    ratio = found / line.tempo
    return {
        "song": line.title, "program": program, "noise_db": decibels, "notes": len(line.onsets),
        **scored(line, heard), "tempo": line.tempo, "found": found,
        "tempo_fits": min(abs(ratio / r - 1) for r in (0.5, 1, 2)) < 0.04,
        "cpu_seconds_a_second": seconds / (len(sound) / audio.RATE),
    }  # fmt: skip


def main() -> None:
    """Run all levels and print the table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--songs", type=int, default=24)
    chosen = parser.parse_args()
    if shutil.which("fluidsynth") is None or soundfont() is None:
        raise SystemExit(
            "fluidsynth or a soundfont is missing: apt install fluidsynth fluid-soundfont-gm"
        )
    result, rows = Result(), []
    sung = lines(chosen.songs)
    for program, name in PROGRAMS.items():
        for decibels in NOISE:
            these = [
                row_of(line, program, decibels, chosen.seed + number)
                for number, line in enumerate(sung)
            ]
            rows += these
            mean = {
                key: float(np.mean([row[key] for row in these]))
                for key in ("precision", "recall", "f1")
            }
            level = "no noise" if decibels is None else f"noise at -{decibels:.0f} dB"
            result.add(
                f"note F1, {name}, {level}", f"{mean['f1']:.3f}",
                f"P {mean['precision']:.3f} R {mean['recall']:.3f}", f"{len(these)} songs",
            )  # fmt: skip
    voices = [row for row in rows if row["program"] == 53]
    result.figures = {
        "note_f1": round(float(np.mean([row["f1"] for row in voices])), 4),
        "note_f1_noise_20": round(float(np.mean([r["f1"] for r in voices if r["noise_db"] == 20])), 4),
        "note_f1_worst_level": round(min(
            float(np.mean([row["f1"] for row in voices if row["noise_db"] == level])) for level in NOISE
        ), 4),
        "tempo_found": round(float(np.mean([row["tempo_fits"] for row in voices])), 3),
        "cpu_seconds_a_second": round(float(np.mean([r["cpu_seconds_a_second"] for r in rows])), 3),
        "songs": len(sung),
    }  # fmt: skip
    save_rows("audio", rows)
    show([result])
    print("\n" + json.dumps(result.figures))


if __name__ == "__main__":
    main()
