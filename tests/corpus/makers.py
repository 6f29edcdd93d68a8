"""Music written for the tests: MusicXML, MXL, MIDI and ABC files."""

import io
import zipfile
from pathlib import Path

from musai.music import Metre, Phrase

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def phrase(shift: int = 0, count: int = 16) -> Phrase:
    """A scale up and down, transposed."""
    pitches = [SCALE[i % 8] + shift + 12 * (i // 8 % 2) for i in range(count)]
    return Phrase.from_notes(
        range(count), [1] * count, pitches, metre=Metre.of(96, (3, 4), (1, True))
    )


def midi(path: Path, shift: int = 0, count: int = 16) -> Path:
    """A MIDI file of `phrase`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(phrase(shift, count).to_midi())
    return path


def note(
    step: str, duration: int, *, octave: int = 4, voice: int = 1, more: str = "", alter: int = 0
) -> str:
    """One MusicXML note; step "" is a rest."""
    change = f"<alter>{alter}</alter>" if alter else ""
    what = (
        f"<pitch><step>{step}</step>{change}<octave>{octave}</octave></pitch>"
        if step
        else "<rest/>"
    )
    before, after = ("", more) if "<tie" in more or "<staff" in more else (more, "")
    return f"<note>{before}{what}<duration>{duration}</duration>{_order(after, voice)}</note>"


def _order(after: str, voice: int) -> str:
    tie, _, staff = after.partition("<staff")
    return f"{tie}<voice>{voice}</voice>" + (f"<staff{staff}" if staff else "")


def attributes(
    beats: int = 4, kind: int = 4, fifths: int = 0, mode: str = "major", more: str = ""
) -> str:
    """MusicXML attributes with two divisions a quarter."""
    return (
        f"<attributes><divisions>2</divisions><key><fifths>{fifths}</fifths><mode>{mode}</mode></key>"
        f"<time><beats>{beats}</beats><beat-type>{kind}</beat-type></time>{more}</attributes>"
    )


def score(*parts: tuple[str, list[str]], head: str = "", doctype: str = "") -> bytes:
    """Partwise MusicXML of (name, measures) with the measures' contents as given."""
    names = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>'
        for i, (name, _) in enumerate(parts)
    )
    bodies = "".join(
        f'<part id="P{i}">'
        + "".join(f'<measure number="{n + 1}">{m}</measure>' for n, m in enumerate(measures))
        + "</part>"
        for i, (_, measures) in enumerate(parts)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<score-partwise version="3.1">{head}'
        f"<part-list>{names}</part-list>{bodies}</score-partwise>"
    ).encode()


def mxl(xml: bytes, name: str = "score.xml") -> bytes:
    """An MXL archive of a score."""
    container = (
        '<?xml version="1.0"?><container><rootfiles>'
        f'<rootfile full-path="{name}"/></rootfiles></container>'
    )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr(name, xml)
    return data.getvalue()
