"""Note lists: a phrase as plain lines of text, for hosts whose scripts cannot read a MIDI file.

One thing a line, words apart by spaces, UTF-8::

    musai 1                     the form and its version; the first line
    tempo 120                   quarters a minute; a second number is its tick
    signature 3 4               a third number is its tick
    voice 0 32 0 Bass           index, General MIDI program, 1 for drums, name
    length 5760                 ticks; without it the phrase ends with its last note
    note 0 480 60 100 0         onset and duration in ticks, pitch, velocity, voice

Ticks are 480 a quarter, counted from the first bar line.  Lines that begin with
another word are not read: a writer may say more, and `musai ask` does.
"""

from collections.abc import Callable, Iterable

from musai.errors import BadInput
from musai.music.metre import Metre, Signature, Tempo
from musai.music.notes import NOTE, NoteArray, notes_array, untangled
from musai.music.phrase import MAX_VOICES, Phrase, Voice

FIRST = "musai 1"
MAX_LINES = 200_000
_NOTE_FIELDS = len(NOTE.names or ())


def write_notelist(phrase: Phrase, said: Iterable[str] = ()) -> str:
    """The lines of `phrase`; the lines of `said` come after the first one."""
    lines = [FIRST, *said]
    lines += [f"tempo {t.bpm:.9g} {t.tick}" for t in phrase.metre.tempos]
    lines += [f"signature {s.numerator} {s.denominator} {s.tick}" for s in phrase.metre.signatures]
    for index, voice in enumerate(phrase.voices):
        name = " ".join(voice.name.split())
        lines.append(f"voice {index} {voice.program} {int(voice.drum)} {name}".rstrip())
    lines.append(f"length {phrase.length}")
    lines += ["note " + " ".join(str(int(value)) for value in note) for note in phrase.notes]
    return "\n".join(lines) + "\n"


def read_notelist(data: bytes) -> Phrase:
    """The phrase that `write_notelist` wrote.  Raises `BadInput` naming the line at fault.

    Notes of one voice and pitch that overlap are untangled, as in a MIDI file.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadInput(f"a note list is UTF-8 text; byte {error.start} is not") from None
    if not lines or lines[0].strip() != FIRST:
        raise BadInput(f"a note list begins with the line {FIRST!r}")
    if len(lines) > MAX_LINES:
        raise BadInput(f"a note list has {len(lines)} lines; legal is at most {MAX_LINES}")
    reading = _Reading()
    for number, line in enumerate(lines[1:], 2):
        word, *rest = line.split(maxsplit=1) or [""]
        read = reading.readers.get(word)
        if read is None:
            continue
        try:
            read(rest[0] if rest else "")
        except (ValueError, ArithmeticError) as error:
            reason = str(error) if isinstance(error, BadInput) else "not the numbers it needs"
            raise BadInput(f"line {number}, {line.strip()[:60]!r}: {reason}") from None
    return reading.phrase()


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.tempos: list[Tempo] = []
        self.signatures: list[Signature] = []
        self.voices: dict[int, Voice] = {}
        self.notes: list[list[int]] = []
        self.length = -1
        self.readers: dict[str, Callable[[str], None]] = {
            "tempo": self._tempo,
            "signature": self._signature,
            "voice": self._voice,
            "length": self._length,
            "note": self._note,
        }

    def _tempo(self, rest: str) -> None:
        bpm, *tick = rest.split()
        self.tempos.append(Tempo(_tick(tick), round(60e6 / float(bpm))))

    def _signature(self, rest: str) -> None:
        numerator, denominator, *tick = rest.split()
        self.signatures.append(Signature(_tick(tick), int(numerator), int(denominator)))

    def _voice(self, rest: str) -> None:
        index, program, drum, *name = rest.split(maxsplit=3)
        if not 0 <= int(index) < MAX_VOICES:
            raise BadInput(f"voice is {index}; legal is 0 to {MAX_VOICES - 1}")
        self.voices[int(index)] = Voice(name[0] if name else "", int(program), int(drum) != 0)

    def _length(self, rest: str) -> None:
        self.length = int(rest)

    def _note(self, rest: str) -> None:
        values = [int(value) for value in rest.split()]
        if len(values) != _NOTE_FIELDS:
            raise ValueError
        notes_array(*([value] for value in values))
        self.notes.append(values)

    def phrase(self) -> Phrase:
        columns = zip(*self.notes, strict=True) if self.notes else ([],) * _NOTE_FIELDS
        notes: NoteArray = untangled(notes_array(*map(list, columns)))
        used = int(notes["voice"].max(initial=0))
        count = 1 + max(used, *self.voices, 0)
        voices = tuple(self.voices.get(i, Voice()) for i in range(count))
        tempos = tuple(self.tempos) or Metre().tempos
        signatures = tuple(self.signatures) or Metre().signatures
        return Phrase(notes, Metre(tempos, signatures), voices, self.length)


def _tick(words: list[str]) -> int:
    """The number that may stand at the end of a line; 0 where none does."""
    if len(words) > 1:
        raise ValueError
    return int(words[0]) if words else 0
