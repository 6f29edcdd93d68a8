"""A dossier as data: JSON with a published schema, CSV with a row a match, excerpts as MIDI files."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from musai.errors import BadInput
from musai.music import Metre, Phrase, Voice, notes_array
from musai.report.dossier import VERSION, Dossier, Finding
from musai.report.names import listed
from musai.report.records import ComparedNote, Comparison
from musai.report.scores import metre_of

SCHEMA_FILE = "dossier.schema.json"

COLUMNS = (
    *("match", "phrase", "phrase_id", "session", "made_at", "light", "phrase_p", "phrase_q"),
    *("phrase_significant", "corpus", "rank", "work", "work_id", "creators", "owners", "licence"),
    *("attribution", "source", "score", "p", "e", "q", "significant", "extrapolated"),
    *("longest_run", "coverage_phrase", "coverage_work", "transposition", "tempo_ratio"),
    *("common_works", "common_authors", "mark", "likeness", "reviewers", "notes"),
)
"""The columns of the CSV, in order."""

_FORMULA = re.compile(r"^[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|^[\t\r\n]")


def to_json(dossier: Dossier) -> bytes:
    """The dossier as JSON in UTF-8."""
    return msgspec.json.encode(dossier)


def from_json(data: bytes) -> Dossier:
    """The inverse of `to_json`.  Raises `BadInput`."""
    try:
        return msgspec.json.decode(data, type=Dossier)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not a {VERSION} report: {error}") from None


def make_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a dossier, derived from the records."""
    schema: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(Dossier)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:musai:{VERSION}",
        "title": "musai similarity report on many phrases",
        "description": "Phrases compared with corpora, corrected once over all of them. Ticks are "
        "480 a quarter note; pitches are MIDI numbers; bars and beats count from 1.",
        **schema,
    }


@cache
def schema_text() -> str:
    """The published schema, as it ships in the package."""
    return (files("musai.report") / "schema" / SCHEMA_FILE).read_text("utf-8")


def to_csv(dossier: Dossier) -> bytes:
    """A row a match, all of them, for a spreadsheet: UTF-8 with its mark, texts made harmless."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for one in dossier.findings:
        rows.writerow(list(_cells(dossier, one)))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what would begin one gets an apostrophe before it."""
    plain = text.replace("\0", "\ufffd")
    return f"'{plain}" if _FORMULA.match(plain) else plain


def _cells(dossier: Dossier, one: Finding) -> Iterator[str]:
    entry, match = dossier.entries[one.entry - 1], one.match
    common = match.common
    values: Sequence[Any] = (
        *(one.number, entry.name, entry.phrase_id, entry.session, entry.made_at, entry.light),
        *(entry.p_value, entry.q_value, entry.significant, one.corpus, match.rank),
        *(match.work.title, match.work.id, listed(match.work.creators)),
        *(listed(match.work.holders), match.work.licence, match.work.attribution),
        *(match.work.source, match.score, match.p_value, match.e_value, match.q_value),
        *(match.significant, match.extrapolated, match.longest_run, match.coverage_query),
        *(match.coverage_work, match.transposition, match.tempo_ratio),
        *(common.works if common else None, common.authors if common else None),
        *(one.mark, one.likeness, "; ".join(dict.fromkeys(j.who for j in one.judgements))),
        "; ".join(j.note for j in one.judgements if j.note),
    )
    for value in values:
        yield _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value) if isinstance(value, int) else harmless(str(value))


def to_midi_zip(dossier: Dossier) -> bytes:
    """The drawn matches as MIDI files in a zip: the phrase's passage, the work's, both together.

    Together they are in the phrase's key and time, the work in a voice of its own.
    """
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in dossier.findings:
            comparison = one.match.comparison
            if comparison is None:
                continue
            entry = dossier.entries[one.entry - 1]
            metre = metre_of(entry.score) if entry.score else Metre()
            stem = f"match-{one.number:03d}-{_plain(one.match.work.title) or one.match.work.id[:8]}"
            for part, data in _excerpts(comparison, metre).items():
                # A fixed date, so that the same report makes the same bytes.
                info = zipfile.ZipInfo(f"{stem}-{part}.mid", (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data)
    return held.getvalue()


def _excerpts(comparison: Comparison, metre: Metre) -> dict[str, bytes]:
    ours = [n for n in comparison.phrase if n.likeness != "other"]
    theirs = [n for n in comparison.work if n.likeness != "other"]
    first = min(n.onset for n in (*ours, *theirs))
    tempo = Metre(metre.tempos[:1])
    both = [(n, n.pitch, 0) for n in ours] + [(n, n.pitch, 1) for n in theirs]
    phrase = [(n, n.written, 0) for n in ours]
    work = [(n, n.written, 0) for n in theirs]
    return {
        "phrase": _midi(phrase, first, tempo, ("phrase",)),
        "work": _midi(work, first, tempo, ("work",)),
        "both": _midi(both, first, tempo, ("phrase", "work")),
    }


def _midi(
    notes: Sequence[tuple[ComparedNote, int, int]],
    first: float,
    metre: Metre,
    voices: tuple[str, ...],
) -> bytes:
    from musai.music.notes import untangled

    fit = [(n, pitch, voice) for n, pitch, voice in notes if 0 <= pitch <= 127]
    array = untangled(
        notes_array(
            [round(n.onset - first) for n, _, _ in fit],
            [max(1, round(n.duration)) for n, _, _ in fit],
            [pitch for _, pitch, _ in fit],
            [80] * len(fit),
            [voice for _, _, voice in fit],
        )
    )
    length = max((int(n["onset"]) + int(n["duration"]) for n in array), default=0)
    named = tuple(Voice(name) for name in voices)
    return Phrase(array, metre, named, length).to_midi()


def _plain(title: str) -> str:
    """A title as part of a file's name that every system takes."""
    kept = "".join(c if c.isalnum() else "-" for c in title)
    return re.sub("-+", "-", kept).strip("-")[:40]
