"""The human share of a piece, told: a table, the three kinds of contribution, a picture by origin.

Numbers come from `musai.audit.share`; nothing here adds them up to one.
"""

from dataclasses import asdict
from typing import Any

from musai.audit.share import Credit, NoteOrigin
from musai.music import Phrase
from musai.report.flat import standalone
from musai.report.lanes import WIDTH
from musai.report.names import counted
from musai.report.roll import Look, roll_svg

SOURCE = (
    "U.S. Copyright Office, Copyright and Artificial Intelligence, Part 2: Copyrightability "
    "(January 2025)"
)

CAUTION = (
    "Evidence of what was done, note by note, and no legal finding: nobody's share of authorship "
    "follows from these numbers, and they have no total."
)

LOOKS = {
    "kept": Look("musai", "", "as a take has it"),
    "edited": Look("musai", "hatch", "a take's, edited"),
    "prompt": Look("human", "dots", "from the human's prompt"),
    "human": Look("human", "hollow", "new, the human's"),
}
"""How each origin is drawn: whose colour, and a pattern that tells it without colour."""

MAX_SYSTEMS = 64


def kinds(found: Credit) -> list[dict[str, Any]]:
    """The three kinds of contribution that the Office names, each with what speaks for it here."""
    counts, takes, arranged = found.counts, found.takes, found.arrangement
    per = (
        "" if takes.rejected_per_kept is None else f", {takes.rejected_per_kept:.1f} for each kept"
    )
    edits = ", ".join(f"{name} {number}" for name, number in counts.edits.items() if number)
    return [
        {
            "kind": "prompts",
            "evidence": [
                f"{counted(found.requests, 'request')}, wishes in them (key, chords, density, ...): "
                f"{found.wishes}",
                f"{counted(takes.made, 'take')} made, {takes.made - takes.kept} not kept{per}",
                *(f"said of a kept take: “{sentence}”" for _, sentence in found.intents),
            ],
        },
        {
            "kind": "expressive inputs",
            "evidence": [
                f"{counted(found.prompts, 'prompt')} with notes of the human's own",
                f"{counted(counts.prompt, 'note')} of the piece are from prompts, "
                f"{counts.prompt_edited} of them edited",
                f"{counted(found.perceptible, 'note')} of the takes' stand in the prompt of their take, too",
            ],
        },
        {
            "kind": "modifying or arranging",
            "evidence": [
                f"selected: {takes.used} of {counted(takes.made, 'take')} used, "
                f"{counted(counts.cut, 'note')} of these cut away",
                f"edited: {counted(counts.edited, 'note')}{f' ({edits})' if edits else ''}",
                f"deleted within what was used: {counted(counts.deleted, 'note')}",
                f"added: {counted(counts.human, 'note')}",
                f"arranged: {counted(arranged.blocks, 'block')}, {arranged.moved} in another order, "
                f"{arranged.copies} used again, {arranged.transposed} in another key than most, "
                f"{arranged.layered} over others",
                *_whole(found),
            ],
        },
    ]


def _whole(found: Credit) -> list[str]:
    arranged = found.arrangement
    told = []
    if arranged.transposition:
        told.append(f"the piece is {arranged.transposition:+d} semitones from its takes")
    if arranged.quantized:
        told.append(
            f"{counted(arranged.quantized, 'note')} moved to a grid of {arranged.grid} ticks "
            "(480 a quarter)"
        )
    if arranged.tempo_then and abs(arranged.tempo_now / arranged.tempo_then - 1) > 0.005:
        told.append(
            f"tempo {arranged.tempo_then:g} in the takes, {arranged.tempo_now:g} in the piece"
        )
    if arranged.stretched:
        told.append(f"{counted(arranged.stretched, 'block')} stretched in time")
    return told


def plain(found: Credit) -> dict[str, Any]:
    """JSON values: everything, with the kinds and the caution."""
    return {"caution": CAUTION, "kinds": kinds(found), "kinds_source": SOURCE, **asdict(found)}


def lines(found: Credit) -> list[str]:
    """The vector as lines of a table for a terminal."""
    counts = found.counts
    rows = [
        ("as a take has it", counts.kept, counts.quarters["kept"]),
        ("a take's, edited", counts.edited, counts.quarters["edited"]),
        ("from a prompt", counts.prompt, counts.quarters["prompt"]),
        ("new, the human's", counts.human, counts.quarters["human"]),
    ]
    out = [f"{'':<18}{'notes':>7}{'quarters':>10}"]
    out += [f"{name:<18}{notes:>7}{quarters:>10.1f}" for name, notes, quarters in rows]
    return [*out, f"{'deleted':<18}{counts.deleted:>7}", f"{'cut away':<18}{counts.cut:>7}"]


def picture(final: Phrase, found: Credit) -> str:
    """The piece as an SVG file, each note drawn by its origin."""
    return roll_svg(
        final,
        title="The piece by origin of its notes",
        looks=[LOOKS[note.origin] for note in found.notes],
        tips=[_tip(note) for note in found.notes],
        said=_legend(found),
        standalone=True,
        most=MAX_SYSTEMS,
    )


def picture_png(final: Phrase, found: Credit) -> bytes:
    """The same as a PNG, for a program that shows no SVG."""
    import typst

    drawn = roll_svg(
        final,
        title="The piece by origin of its notes",
        looks=[LOOKS[note.origin] for note in found.notes],
        said=_legend(found),
        most=MAX_SYSTEMS,
    )
    height = float(drawn.split("viewBox=", 1)[1].split('"')[1].split()[3])
    page = (
        f"#set page(width: {WIDTH}pt, height: {height}pt, margin: 0pt)\n"
        f'#image("piece.svg", width: {WIDTH}pt)'
    )
    parts: Any = {"main": page.encode(), "piece.svg": standalone(drawn, WIDTH, height).encode()}
    made: bytes = typst.compile(parts, format="png", ppi=144.0)
    return made


def _tip(note: NoteOrigin) -> str:
    where = "" if note.record is None else f", note {note.step} of ledger record {note.record}"
    changed = f" ({', '.join(note.fields)})" if note.fields else ""
    return f"{LOOKS[note.origin].word}{changed}{where}"


def _legend(found: Credit) -> list[str]:
    """What the patterns mean, with the numbers, so that the picture speaks by itself."""
    counts = found.counts
    signs = {"kept": "solid", "edited": "hatched", "prompt": "dotted", "human": "hollow"}
    told = [
        f"{sign}: {LOOKS[name].word}, {counted(getattr(counts, name), 'note')}"
        for name, sign in signs.items()
    ]
    return ["; ".join(told) + ".", CAUTION]
