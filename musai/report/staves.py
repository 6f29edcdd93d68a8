"""Notation on the page: the drawing with its caption, or one line that says why there is none."""

from dataclasses import dataclass

from musai.music import Metre
from musai.report.degrees import said
from musai.report.differences import sides_in_words
from musai.report.engraving import engrave
from musai.report.names import counted, interval
from musai.report.notation import Notation, notate
from musai.report.records import Comparison


@dataclass(frozen=True, slots=True)
class Staves:
    """The picture, safe to put into a page, and what stands under it; without a picture, why."""

    picture: str
    caption: str


def staves(comparison: Comparison, metre: Metre, *, title: str, ident: str) -> Staves:
    """The comparison in staff notation; `metre` is the phrase's, `ident` unique on the page."""
    notation = notate(comparison, metre, ident)
    if notation.reason:
        return Staves("", f"Not written in staff notation: {notation.reason}.")
    told = f"Scale degrees: {'; '.join(sides_in_words(comparison))}."
    try:
        picture = engrave(notation, title=title, told=told, ident=ident)
    except ImportError:
        return Staves(
            "", "Not written in staff notation: Verovio, which draws it, is not installed."
        )
    if not picture:
        return Staves("", "Not written in staff notation: Verovio could not lay it out.")
    return Staves(picture, caption(comparison, notation))


def caption(comparison: Comparison, notation: Notation) -> str:
    """In whose key and bars the staves are, and what they leave out."""
    parts = []
    if comparison.phrase_key is not None:
        parts.append(f"Key of the phrase: {said(comparison.phrase_key)}")
    if comparison.work_key is not None:
        moved = "" if comparison.semitones == 0 else f", here {interval(comparison.semitones)}"
        parts.append(f"of the work: {said(comparison.work_key)}{moved}")
    text = "; ".join(parts) + "."
    if notation.whose == "work":
        text += (
            " Written in bars and note values of the work, in which both lie more plainly "
            f"(the phrase's notes are written {comparison.stretch:.3g} times as long)."
        )
    if notation.cut:
        text += (
            f" The first {notation.bars} bars; {counted(notation.cut, 'bar')} more are not drawn."
        )
    return text
