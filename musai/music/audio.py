"""Audio -> Phrase: one voice that somebody hums, sings or plays into a microphone.

Needs the extra `[audio]`.  Nothing of it is loaded until audio is asked for.

The pitch is tracked by probabilistic YIN (Mauch and Dixon 2014), a hundred frames a second; `sung`
makes notes of the track.  The tempo is given, or found as the one whose sixteenths fit the onsets best.
"""

import logging
from importlib import import_module
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.errors import BadInput, MusaiError, NotFound, check_range
from musai.music.metre import Metre
from musai.music.notes import TICKS, notes_array, untangled
from musai.music.phrase import Phrase, Voice
from musai.music.sung import Heard, notes_of

RATE = 16_000
"""Samples a second that are listened to."""

HOP = 160
"""Samples from one frame to the next: 10 ms."""

FRAME = 1_024
"""Samples that one pitch is told from."""

LOWEST, HIGHEST = 65.0, 1_400.0
"""Hertz: C2 to F6."""

LONGEST_SECONDS = 180.0
SHORTEST_SECONDS = 0.2
ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".m4a", ".webm")
"""Names of sound files end so."""

QUIETEST = 1e-3
"""Root mean square of the loudest frame below which there is nothing to hear: -60 dB."""

TEMPI = (50.0, 200.0)

Floats = NDArray[np.float64]

_log = logging.getLogger("musai.audio")
_told: set[str] = set()


def is_audio(path: Path | None) -> bool:
    """Whether a path is of a sound file, which its ending tells."""
    return path is not None and path.suffix.lower() in ENDINGS


def read_audio(path: Path) -> Floats:
    """A sound file as one channel at `RATE`, shape (n,).

    Raises `NotFound`, and `BadInput` for what is no audio or not within `LONGEST_SECONDS`.
    """
    if not path.is_file():
        raise NotFound(
            f"{path} is not there; legal is a sound file such as {', '.join(ENDINGS[:5])}"
        )
    soundfile = _needed("soundfile")
    try:
        about = soundfile.info(str(path))
        _check_length(str(path), about.frames / max(1, about.samplerate))
        samples, rate = soundfile.read(str(path), dtype="float64", always_2d=True)
    except (RuntimeError, OSError) as error:  # soundfile's own errors are RuntimeErrors
        return _read_by_torchaudio(path, error)
    return resampled(samples.mean(axis=1), int(rate))


def _read_by_torchaudio(path: Path, error: Exception) -> Floats:
    """What libsndfile does not know, m4a say: by torchaudio where it can."""
    torchaudio = _torchaudio()
    try:
        if torchaudio is None:
            raise error
        samples, rate = torchaudio.load(str(path))
    except (RuntimeError, OSError, ImportError) as failed:
        raise BadInput(
            f"{path} cannot be read as audio: {failed or error}; legal is WAV, FLAC, OGG or MP3"
        ) from None
    _check_length(str(path), samples.shape[1] / rate)
    return resampled(samples.numpy().astype(np.float64).mean(axis=0), int(rate))


def _check_length(name: str, seconds: float) -> None:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise BadInput(
            f"{name} lasts {seconds:,.1f} s; legal is {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:.0f} s "
            "of one voice"
        )


def resampled(samples: Floats, rate: int) -> Floats:
    """The same sound at `RATE`: by torchaudio where it imports, else by scipy."""
    if rate == RATE or len(samples) == 0:
        return samples
    torchaudio = _torchaudio()
    if torchaudio is not None:
        from_numpy = import_module("torch").from_numpy
        made: Floats = torchaudio.functional.resample(from_numpy(samples), rate, RATE).numpy()
        return made
    from scipy.signal import resample_poly

    common = gcd(rate, RATE)
    plain: Floats = resample_poly(samples, RATE // common, rate // common)
    return plain


def _torchaudio() -> Any | None:
    """torchaudio, or None where it does not import, which is said once."""
    try:
        return import_module("torchaudio")
    except (ImportError, OSError, RuntimeError) as error:
        if "torchaudio" not in _told:
            _told.add("torchaudio")
            _log.warning("torchaudio cannot be used (%s); soundfile and scipy do its work", error)
        return None


def _needed(name: str) -> Any:
    """A library of the extra."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MusaiError(
            f'audio needs {name} ({error}); install it with: pip install "musai[audio]"'
        ) from None


def listen(samples: Floats) -> Heard:
    """The notes of one voice, from samples at `RATE`.

    Raises `BadInput` for silence, and for sound in which no voice has a pitch.
    """
    _check_length("the recording", len(samples) / RATE)
    if not np.isfinite(samples).all():
        raise BadInput("the recording holds samples that are not finite numbers")
    loud = _loudness(samples)
    if float(loud.max()) < QUIETEST:
        raise BadInput(
            f"the recording is silent: its loudest hundredth of a second is at {_decibels(loud):.0f} dB; "
            f"legal is {20 * np.log10(QUIETEST):.0f} dB or more"
        )
    hertz = pitch_track(samples)
    count = min(len(hertz), len(loud))
    heard = notes_of(hertz[:count], loud[:count], flux(samples)[:count], HOP / RATE)
    if len(heard.onsets) == 0:
        raise BadInput(
            f"no sung or played line was heard: {np.isfinite(hertz).mean():.0%} of the recording has a "
            "pitch; legal is one voice that is louder than what is around it"
        )
    return heard


def _loudness(samples: Floats) -> Floats:
    """Root mean square of the 32 ms around every frame."""
    power = np.concatenate(([0.0], np.cumsum(samples**2)))
    middle = np.arange(0, len(samples), HOP)
    first, last = np.maximum(0, middle - 256), np.minimum(len(samples), middle + 256)
    loud: Floats = np.sqrt(np.maximum(0, power[last] - power[first]) / (last - first))
    return loud


def _decibels(loud: Floats) -> float:
    return float(20 * np.log10(max(float(loud.max()), 1e-10)))


def pitch_track(samples: Floats) -> Floats:
    """Hertz of every frame, nan where there is no pitch."""
    hertz, _, _ = _needed("librosa").pyin(
        samples, fmin=LOWEST, fmax=HIGHEST, sr=RATE, frame_length=FRAME, hop_length=HOP,
        resolution=0.25, fill_na=np.nan,
    )  # fmt: skip
    found: Floats = np.asarray(hertz, np.float64)
    return found


def flux(samples: Floats) -> Floats:
    """How much of the spectrum is new in every frame (Boeck and Widmer 2013: SuperFlux)."""
    found: Floats = (
        _needed("librosa")
        .onset.onset_strength(
            y=samples, sr=RATE, hop_length=HOP, n_fft=512, n_mels=48, fmin=60, lag=2, max_size=3
        )
        .astype(np.float64)
    )
    return found


def tempo_of(onsets: Floats) -> float:
    """Quarters a minute whose sixteenths fit the onsets best; of equals the one nearest 100."""
    if len(onsets) < 4:
        return 100.0
    since = onsets - onsets[0]
    tempi = np.arange(TEMPI[0], TEMPI[1] + 0.5, 0.5)
    eighth = 30.0 / tempi
    # Eighths weigh double: a grid of sixteenths alone fits nearly anything.
    off = sum(
        np.minimum(np.abs(since[:, None] / grid - np.rint(since[:, None] / grid)) * grid, 0.1).mean(
            0
        )
        / grid
        for grid in (eighth, eighth / 2)
    )
    return float(tempi[int(np.argmin(off + 0.08 * np.abs(np.log2(tempi / 100))))])


def phrase_of(
    heard: Heard, tempo: float | None = None, signature: tuple[int, int] = (4, 4)
) -> Phrase:
    """The phrase of what was heard, from its first note on, at a tempo given or found."""
    bpm = tempo_of(heard.onsets) if tempo is None else tempo
    check_range("tempo", bpm, 20, 400, "quarters a minute")
    per_second = bpm / 60 * TICKS
    onset = np.rint((heard.onsets - heard.onsets[0]) * per_second).astype(np.int64)
    length = np.maximum(1, np.rint((heard.ends - heard.onsets) * per_second).astype(np.int64))
    velocity = np.clip(np.rint(40 + 70 * heard.loudness), 1, 127).astype(np.int64)
    notes = untangled(notes_array(onset, length, heard.pitches, velocity))
    return Phrase(notes, Metre.of(bpm, signature), (Voice("voice", 53),))


def phrase_of_file(
    path: Path, tempo: float | None = None, signature: tuple[int, int] = (4, 4)
) -> Phrase:
    """See `Phrase.from_audio`."""
    return phrase_of(listen(read_audio(path)), tempo, signature)
