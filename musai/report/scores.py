"""Phrase <-> Score: a phrase as the plain values of a report, and back."""

from musai.music import Key, Metre, Phrase, Signature, Tempo, Voice, notes_array
from musai.report.score_records import (
    Score,
    ScoreKey,
    ScoreNote,
    ScoreSignature,
    ScoreTempo,
    ScoreVoice,
)


def score_of(phrase: Phrase) -> Score:
    """The plain values of a phrase."""
    metre = phrase.metre
    return Score(
        length=phrase.length,
        tempos=tuple(
            ScoreTempo(tick=t.tick, us_per_quarter=t.us_per_quarter) for t in metre.tempos
        ),
        signatures=tuple(
            ScoreSignature(tick=s.tick, numerator=s.numerator, denominator=s.denominator)
            for s in metre.signatures
        ),
        keys=tuple(ScoreKey(tick=k.tick, fifths=k.fifths, minor=k.minor) for k in metre.keys),
        voices=tuple(
            ScoreVoice(name=v.name, program=v.program, drum=v.drum) for v in phrase.voices
        ),
        notes=tuple(ScoreNote(*row) for row in phrase.notes.tolist()),
    )


def metre_of(score: Score) -> Metre:
    """Tempos, signatures and keys of a score."""
    return Metre(
        tuple(Tempo(t.tick, t.us_per_quarter) for t in score.tempos),
        tuple(Signature(s.tick, s.numerator, s.denominator) for s in score.signatures),
        tuple(Key(k.tick, k.fifths, k.minor) for k in score.keys),
    )


def phrase_of(score: Score) -> Phrase:
    """The phrase of a score; the inverse of `score_of`.  Raises `BadInput` for impossible values."""
    notes = notes_array(
        [n.onset for n in score.notes],
        [n.duration for n in score.notes],
        [n.pitch for n in score.notes],
        [n.velocity for n in score.notes],
        [n.voice for n in score.notes],
    )
    voices = tuple(Voice(v.name, v.program, v.drum) for v in score.voices)
    return Phrase(notes, metre_of(score), voices, score.length)
