"""What a phrase is: notes, metre, MIDI in and out."""

from musai.music.metre import DENOMINATORS, Key, Metre, Signature, Tempo
from musai.music.notes import NOTE, TICKS, Note, NoteArray, notes_array
from musai.music.phrase import MAX_VOICES, Phrase, Voice

__all__ = [
    "DENOMINATORS",
    "MAX_VOICES",
    "NOTE",
    "TICKS",
    "Key",
    "Metre",
    "Note",
    "NoteArray",
    "Phrase",
    "Signature",
    "Tempo",
    "Voice",
    "notes_array",
]
