"""What is sung comes back as notes: tones made here, whose notes are known."""

import logging
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from musai.errors import BadInput, MusaiError, NotFound
from musai.music import Phrase, audio

TUNE = ((60, 0.5), (62, 0.5), (64, 0.5), (64, 0.5), (67, 1.0), (65, 0.25), (64, 0.25), (62, 0.5))
"""(pitch, quarters), one after the other."""

Floats = NDArray[np.float64]


def sung(
    tune: tuple[tuple[int, float], ...] = TUNE,
    *,
    bpm: float = 90.0,
    noise: float = 0.01,
    off: float = 0.0,
    vibrato: float = 0.0,
    rate: int = audio.RATE,
) -> Floats:
    """A voice of eight harmonics that attacks every note anew; `off` and `vibrato` in semitones."""
    parts = [np.zeros(rate // 5)]
    for pitch, quarters in tune:
        time = np.arange(round(quarters * 60 / bpm * rate)) / rate
        bent = pitch + off + vibrato * np.sin(2 * np.pi * 5.5 * time)
        phase = 2 * np.pi * np.cumsum(440 * 2 ** ((bent - 69) / 12)) / rate
        left = time[-1] - time
        shape = np.minimum(1, np.minimum(time / 0.03, left / 0.05)) * np.exp(-0.8 * time)
        parts.append(shape * sum(np.sin(k * phase) / k**1.5 for k in range(1, 9)))
    parts.append(np.zeros(rate // 5))
    line = 0.2 * np.concatenate(parts)
    drawn = np.random.Generator(np.random.Philox(7)).standard_normal(len(line))
    return line + noise * drawn


def written(path: Path, samples: Floats, rate: int = audio.RATE, width: int = 2) -> Path:
    scaled = np.clip(samples, -1, 1) * 32767 if width == 2 else 128 + 127 * np.clip(samples, -1, 1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(scaled.astype("<i2" if width == 2 else "u1").tobytes())
    return path


@pytest.fixture
def extra() -> None:
    pytest.importorskip("librosa", reason="the extra [audio] is not installed")


@pytest.mark.usefixtures("extra")
class TestHearing:
    def test_every_note_comes_back_in_time_at_the_tempo_given(self, tmp_path: Path) -> None:
        phrase = Phrase.from_audio(written(tmp_path / "hum.wav", sung()), tempo=90)
        assert phrase.notes["pitch"].tolist() == [pitch for pitch, _ in TUNE]
        due = np.cumsum([0.0, *(quarters for _, quarters in TUNE[:-1])]) * 480
        assert np.abs(phrase.notes["onset"] - due).max() <= 0.05 * 90 / 60 * 480
        assert phrase.metre.tempos[0].bpm == pytest.approx(90)

    def test_vibrato_and_a_singer_between_the_keys_change_no_note(self) -> None:
        heard = audio.listen(sung(off=0.35, vibrato=0.3))
        assert heard.pitches.tolist() == [pitch for pitch, _ in TUNE]

    def test_a_note_struck_again_is_another_note(self) -> None:
        heard = audio.listen(sung(((69, 1.0),) * 5))
        assert heard.pitches.tolist() == [69] * 5

    def test_a_held_note_is_one_note(self) -> None:
        assert audio.listen(sung(((57, 4.0),), vibrato=0.4)).pitches.tolist() == [57]

    @pytest.mark.parametrize("harmonics", [1, 3, 8])
    def test_steady_tones_without_noise_are_a_note_each(self, harmonics: int) -> None:
        pitches, time = (60, 62, 64, 65, 67, 65, 64, 60), np.arange(audio.RATE // 2) / audio.RATE
        shape = np.minimum(1, 40 * np.minimum(time, time[-1] - time))
        tones = [
            shape * sum(0.3 / k * np.sin(2 * np.pi * k * 440 * 2 ** ((pitch - 69) / 12) * time)
                        for k in range(1, harmonics + 1))
            for pitch in pitches
        ]  # fmt: skip
        assert audio.listen(np.concatenate(tones)).pitches.tolist() == list(pitches)

    def test_the_tempo_is_found(self, tmp_path: Path) -> None:
        path = written(tmp_path / "hum.wav", sung(bpm=104))
        assert Phrase.from_audio(path).metre.tempos[0].bpm == pytest.approx(104, abs=3)

    def test_any_rate_and_both_widths_are_the_same_notes(self, tmp_path: Path) -> None:
        high = written(tmp_path / "a.wav", sung(rate=44_100), 44_100)
        coarse = written(tmp_path / "b.wav", sung(noise=0.0), width=1)
        heard = [Phrase.from_audio(path, 90).notes["pitch"].tolist() for path in (high, coarse)]
        assert heard[0] == heard[1] == [pitch for pitch, _ in TUNE]

    def test_without_torchaudio_it_works_and_says_so_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audio, "_told", set())
        monkeypatch.setitem(sys.modules, "torchaudio", None)
        path = written(tmp_path / "hum.wav", sung(rate=22_050), 22_050)
        with caplog.at_level(logging.WARNING, "musai.audio"):
            for _ in range(2):
                assert len(audio.read_audio(path)) == pytest.approx(len(sung()), abs=2)
        assert [record.message.partition(" (")[0] for record in caplog.records] == [
            "torchaudio cannot be used"
        ]

    def test_silence_and_noise_are_refused_by_name(self, tmp_path: Path) -> None:
        silent = written(tmp_path / "silent.wav", np.zeros(2 * audio.RATE))
        with pytest.raises(BadInput, match=r"the recording is silent: .* legal is -60 dB or more"):
            Phrase.from_audio(silent)
        drawn = np.random.Generator(np.random.Philox(3)).standard_normal(3 * audio.RATE)
        with pytest.raises(
            BadInput, match=r"no sung or played line was heard: .* legal is one voice"
        ):
            Phrase.from_audio(written(tmp_path / "noise.wav", 0.1 * drawn))

    def test_an_hour_is_refused_before_it_is_read(self, tmp_path: Path) -> None:
        hour = written(tmp_path / "hour.wav", np.zeros(3600 * 100), 100, width=1)
        with pytest.raises(
            BadInput, match=r"lasts 3,600\.0 s; legal is 0\.2 to 180 s of one voice"
        ):
            Phrase.from_audio(hour)

    @pytest.mark.parametrize("content", [b"", b"RIFF", b"a line of text\n" * 40])
    def test_what_is_no_sound_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "not.wav"
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"cannot be read as audio: .* legal is WAV, FLAC"):
            Phrase.from_audio(path)

    def test_a_tempo_outside_its_range_is_named(self, tmp_path: Path) -> None:
        path = written(tmp_path / "hum.wav", sung())
        with pytest.raises(BadInput, match="tempo is 5; legal is 20 to 400"):
            Phrase.from_audio(path, tempo=5)


def test_a_sound_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no\.wav is not there; legal is a sound file"):
        Phrase.from_audio(tmp_path / "no.wav")


def test_without_the_extra_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MusaiError, match=r'pip install "musai\[audio\]"'):
        Phrase.from_audio(written(tmp_path / "hum.wav", sung()))


@pytest.mark.parametrize(
    ("name", "sound"), [("a.wav", True), ("A.FLAC", True), ("b.mid", False), ("c.notes", False)]
)
def test_a_sound_file_is_told_by_its_ending(name: str, sound: bool) -> None:
    assert audio.is_audio(Path(name)) is sound
