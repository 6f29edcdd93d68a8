"""A dossier as a PDF: paged, with bookmarks, pictures as vectors; set by Typst from data alone.

Typst brings fonts for Latin, Greek and Cyrillic; what is written otherwise
needs a font of this machine.  The file is made to the archival standard
PDF/A-2u, which refuses text that no font can show: then it is made again
without it, and its first page says which titles are affected.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

import msgspec

from musai.errors import MusaiError
from musai.report import names, summaries, wording
from musai.report.aligned import in_words
from musai.report.dossier import MARKS, Dossier, Finding
from musai.report.drawn import MAX_ENTRIES, Drawn, drawn, shown
from musai.report.engraving import WIDTH as STAFF_WIDTH
from musai.report.flat import standalone
from musai.report.lanes import WIDTH
from musai.report.lights import light_svg
from musai.report.svg import printable

FONTS = (
    *("Libertinus Serif", "Noto Serif", "Noto Serif CJK JP", "Noto Sans CJK JP"),
    *("Hiragino Mincho ProN", "Yu Mincho", "MS Mincho", "Noto Naskh Arabic", "Geeza Pro"),
    *("Arial", "Times New Roman", "DejaVu Sans"),
)
"""Fonts in the order in which they are asked for a character; the first is Typst's own."""

STANDARD = "a-2u"
PAGE_WIDTH, TALLEST = 174.0, 130.0
"""Millimetres that a picture may take on a page, across and down."""

PDF_BUDGET = 12_000_000

_UNSHOWN = re.compile(r"the text `\"(.*?)\"` could not be displayed")


def render_pdf(
    dossier: Dossier, drawings: list[Drawn] | None = None, *, system_fonts: bool = True
) -> bytes:
    """The PDF, the same bytes for the same dossier and fonts.  Raises `MusaiError` where it cannot be set."""
    import typst

    made = drawn(dossier, PDF_BUDGET) if drawings is None else drawings
    here = set(typst.Fonts(include_system_fonts=system_fonts).families())
    fonts = [font for font in FONTS if font in here]
    pictures = _pictures(made)

    def compiled(unshown: str, **options: Any) -> bytes:
        data = msgspec.json.encode(_clean(view(dossier, made, fonts, unshown)))
        pages: bytes = typst.compile(
            {"main": _template(), "data.json": data, **pictures},
            format="pdf",
            ignore_system_fonts=not system_fonts,
            timestamp=_moment(dossier.made_at),
            **options,
        )
        return pages

    try:
        return compiled("", pdf_standards=STANDARD)
    except typst.TypstError as error:
        missing = sorted(set("".join(_UNSHOWN.findall(error.diagnostic))))
        unshown = unshown_words(missing) if missing else ""
    try:
        return compiled(unshown)
    except typst.TypstError as error:
        raise MusaiError(f"the PDF could not be set: {error.message}") from None


def unshown_words(missing: list[str]) -> str:
    """What the first page says of characters that no font here can show."""
    few = " ".join(missing[:12]) if len(missing) <= 12 else f"{len(missing)} characters"
    codes = ", ".join(f"U+{ord(c):04X}" for c in missing[:6])
    return (
        f"This machine has no font for {few} ({codes}{', and more' if len(missing) > 6 else ''}): empty "
        "boxes stand for them here. The HTML of this report shows them on any machine that has such a "
        "font, the JSON and the CSV hold them in any case. With a font for that script installed (the "
        "Noto fonts have one for each), making this PDF again shows them here too."
    )


def _template() -> bytes:
    return (files("musai.report") / "templates" / "dossier.typ").read_bytes()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _clean(value: Any) -> Any:
    """No control character reaches the page; names stand for themselves in either direction."""
    if isinstance(value, str):
        return _doubled(printable(value))
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def _doubled(text: str) -> str:
    """Double accidentals written twice, since hardly a font has signs of their own for them."""
    return text.replace("\U0001d12a", "♯♯").replace("\U0001d12b", "♭♭")


def _pictures(made: list[Drawn]) -> dict[str, bytes]:
    found = {f"{name}.svg": standalone(light_svg(name), 64, 64).encode() for name in wording.LIGHTS}
    for one in made:
        number = one.finding.number
        found[f"roll{number}.svg"] = standalone(
            _doubled(one.roll), WIDTH, _height(one.roll)
        ).encode()
        if one.staff:
            found[f"staff{number}.svg"] = standalone(
                _doubled(one.staff), STAFF_WIDTH, _height(one.staff)
            ).encode()
    return found


def _height(picture: str) -> float:
    found = re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', picture)
    return float(found[1]) if found else 100.0


def view(
    dossier: Dossier, made: list[Drawn], fonts: list[str], unshown: str = ""
) -> dict[str, Any]:
    """All that the template says, as texts."""
    listed = shown(dossier)
    return {
        "title": dossier.title,
        "version": dossier.software.get("musai", ""),
        "fonts": fonts,
        "unshown": unshown,
        "kind": f"musai · similarity report on {names.counted(len(dossier.entries), 'phrase')}",
        "about": dossier.about,
        "made": f"Made {names.day(dossier.made_at)}.",
        "headline": summaries.headline(dossier),
        "correction": summaries.correction_words(dossier.correction),
        "figures": summaries.figures(dossier),
        "compared": summaries.compared(dossier),
        "strongest": [_strongest(dossier, one) for one in listed[:4]],
        "judged": summaries.judged_words(dossier),
        "reach": summaries.reach(dossier),
        "entries": [_entry(one) for one in dossier.entries[:MAX_ENTRIES]],
        "entries_note": summaries.entries_note(dossier),
        "matches": [_match(dossier, one) for one in listed],
        "matches_note": summaries.matches_note(dossier, len(listed)),
        "drawn": [_drawn(one) for one in made],
        "drawn_note": summaries.pictured_words(dossier, len(made)),
        "signs": wording.SIGNS,
        "agreement": summaries.agreement_words(dossier.agreement),
        "marks_head": ["Light of the phrase", *MARKS],
        "marks": [
            {"light": light, "word": wording.LIGHTS[light].word, "counts": list(map(str, counts))}
            for light, counts in summaries.marks_table(dossier.agreement)
        ],
        "said": [_judgement(one, said) for one, said in summaries.judgements(dossier)],
        "left_out": [list(row) for row in dossier.left_out[:200]],
        "intents": [
            f"{one.number}. {one.name}: “{one.intent}”" for one in dossier.entries if one.intent
        ],
        "methods": [[one.title, one.text] for one in dossier.methods],
        "limits": [[one.title, one.text] for one in dossier.limits],
        "calibration_title": f"{dossier.calibration.title}; 95% intervals in parentheses.",
        "calibration_limits": list(dossier.calibration.limits),
        "rates_head": ["Share of", *summaries.musics(dossier.calibration)],
        "rates": [
            [
                question,
                *(f"{names.rate(c.rate)}{f' ({c.interval})' if c.interval else ''}" for c in cells),
            ]
            for question, cells in summaries.rates(dossier.calibration)
        ],
        "reruns": [[one.command, one.shows] for one in dossier.reruns],
        "ids": summaries.ids(dossier),
        "records": [
            [
                str(one.number),
                one.phrase_id[:16],
                one.replay_id[:16] if one.replay_id else "",
                ", ".join(map(str, one.records)),
                one.replayed or "\u2013",
            ]
            for one in dossier.entries[:MAX_ENTRIES]
        ],
    }


def _strongest(dossier: Dossier, one: Finding) -> dict[str, str]:
    entry = dossier.entries[one.entry - 1]
    work = one.match.work
    return {
        "work": work.title or work.id[:12],
        "by": names.listed(work.creators),
        "says": summaries.finding_words(entry, one, names.isolated(entry.name)),
        "terms": f"Licence {work.licence or 'not stated'} · "
        + (
            f"owner {names.isolated(names.listed(work.holders))}"
            if work.holders
            else "no owner recorded"
        ),
    }


def _entry(one: Any) -> dict[str, Any]:
    return {
        "number": str(one.number),
        "name": one.name,
        "light": one.light,
        "word": wording.LIGHTS[one.light].word,
        "p": names.number(one.p_value),
        "q": names.number(one.q_value),
        "run": str(one.longest_run),
        "notes": f"{one.notes:,}",
        "made": names.day(one.made_at),
        "strong": one.significant,
    }


def _match(dossier: Dossier, one: Finding) -> dict[str, Any]:
    match, entry = one.match, dossier.entries[one.entry - 1]
    return {
        "number": str(one.number),
        "work": match.work.title or match.work.id[:12],
        "by": names.listed(match.work.creators),
        "phrase": entry.name,
        "score": names.number(match.score),
        "p": names.number(match.p_value) + ("*" if match.extrapolated else ""),
        "q": names.number(match.q_value),
        "run": str(match.longest_run),
        "of": names.percent(match.coverage_query),
        "owner": names.listed(match.work.holders) or "not recorded",
        "licence": match.work.licence or "not stated",
        "people": summaries.human(one),
        "strong": match.significant and entry.significant,
    }


def _drawn(one: Drawn) -> dict[str, Any]:
    match = one.finding.match
    number = one.finding.number
    places = one.comparison.phrase_place, one.comparison.work_place
    return {
        "number": str(number),
        "work": names.isolated(match.work.title or match.work.id[:12]),
        "phrase": names.isolated(one.entry.name),
        "owner": summaries.owner_lines(one.finding),
        "staff": f"staff{number}.svg" if one.staff else "",
        "caption": one.caption,
        "roll": f"roll{number}.svg",
        "roll_mm": min(TALLEST, PAGE_WIDTH * _height(one.roll) / WIDTH),
        "staff_mm": min(TALLEST, PAGE_WIDTH * _height(one.staff) / STAFF_WIDTH),
        "words": f"Phrase {names.stretch(places[0])}; work {names.stretch(places[1])}. {in_words(one.comparison)}",
        "rows": [
            [
                f"{row.word}{f', {row.rhythm}' if row.rhythm else ''}",
                str(row.notes),
                *(
                    text
                    for side in (row.phrase, row.work)
                    for text in (side.place, side.pitches, side.degrees)
                ),
            ]
            for row in one.rows
        ],
    }


def _judgement(finding: Finding, said: Any) -> list[str]:
    rated = ""
    if said.likeness is not None:
        rated = f"{said.likeness} of 5, " + ("by ear" if said.by_ear else "after the numbers")
    mark = "withdrawn" if said.mark == "" else said.mark or ""
    return [
        f"{names.isolated(said.who)}, {names.day(said.utc)}",
        str(finding.number),
        rated,
        mark + ("" if said.latest else " (replaced later)"),
        said.note,
        str(said.seq),
    ]
