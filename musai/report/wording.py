"""The words of a report.  One table for the light; sentences for what was and was not found.

A report says how alike two passages are and how surprising that is.  What
follows from it in law is for courts to say, so no word here says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from musai.report.names import counted, listed
from musai.report.records import Chance, Common, Method

FEW_AUTHORS = 5
"""A passage that fewer authors share is not called common."""


@dataclass(frozen=True, slots=True)
class LightLook:
    """A light as it is always shown: shape and word with the number, never colour alone."""

    word: str
    shape: str
    means: str


LIGHTS: dict[str, LightLook] = {
    "grey": LightLook(
        "Not rated", "dashed ring with a question mark", "there is nothing yet to rate it against"
    ),
    "green": LightLook(
        "No significant match",
        "disc with a tick",
        "likeness such as unrelated works of the style show too",
    ),
    "amber": LightLook(
        "Look closer",
        "triangle with an exclamation mark",
        "more alike than 99 of 100 unrelated phrases, or 8 or more notes exactly in a row",
    ),
    "red": LightLook(
        "Strong match",
        "octagon with two bars",
        "more alike than 999 of 1,000 unrelated phrases, in a passage that few authors share",
    ),
}
"""THE table of lights; the page and the report show the same words."""

TERM_WORDS = {
    "match": "comparing on this machine",
    "train": "training",
    "influence": "naming as an influence",
    "commercial": "commercial generation",
}
"""What each use is called for a reader."""

QUESTIONS = {
    "chance": "Could it be chance?",
    "style": "Is it the style?",
    "common stock": "Does everybody use it?",
}
"""The three sentences of a verdict, as the questions that they answer."""

STYLE_NOTE = (
    "Style is not protected expression: that a phrase is like a composer's or a collection's music "
    "in manner says nothing of any one work, and does not enter the light."
)
"""Stands under whatever is said of style."""

SIGNS = (
    "Staff notation: the small slanted numbers are bars, each side\u2019s own; the number under a note is its "
    "scale degree. A ring and ≠: another pitch on the other side; a dashed box and \u2212: missing, in the "
    "work alone; a dashed box and +: added, in the phrase alone."
)
"""How to read the staves."""

METHODS = (
    Method(
        title="Alignment",
        text=(
            "Each work is compared with the phrase in every key and tempo. A local alignment finds "
            "the passages that agree best, note against note, allowing for changed, missing and "
            "added notes; its score rises with every likeness and falls with every difference."
        ),
    ),
    Method(
        title="The p-value and the light",
        text=(
            "The verdict is one test about this phrase and this corpus: how often a phrase of an "
            "unrelated work, of the same length, reaches a best score as high. Below .01 it is "
            "called significant. The light is green above .01; amber at .01 or below, or with an "
            "exact run of 8 notes or more; red at .001 or below where fewer than five authors "
            "share the passage; grey where there is nothing to compare the score with."
        ),
    ),
    Method(
        title="p, E and q of a single work",
        text=(
            "p is the chance that an unrelated work scores as high against this phrase; E is how "
            "many such works one would expect in the whole corpus; q corrects p for having "
            "searched every work (Benjamini and Hochberg), so that of all works called significant "
            "at q = .05 one in twenty is expected to be chance."
        ),
    ),
    Method(
        title="Staff notation and scale degrees",
        text=(
            "The compared line of both sides is written in one key, in the bars of the side in "
            "which the notes lie more plainly, on a grid of 32nds and triplets; lengths end at "
            "the next note. Degrees count from the tonic of each side's own key, in minor from the "
            "natural scale. A signature in the source gives the key; where only one side has "
            "one, the other takes it; where none has, it is estimated from the notes."
        ),
    ),
    Method(
        title="Longest run and coverage",
        text=(
            "The longest run counts notes in a row with the same intervals and the same rhythm "
            "in proportion. Coverage is the share of the phrase, and of the work, that the aligned "
            "passage takes up."
        ),
    ),
)

DOSSIER_METHODS = (
    Method(
        title="One correction over all phrases",
        text=(
            "Each phrase has one p-value. Looking at many phrases, some are below any level by chance, "
            "so the p-values of all phrases of this report are corrected together (Benjamini and "
            "Hochberg). A phrase is called significant where its corrected value q is .05 or below: of "
            "all phrases so called, one in twenty is expected to be chance. A phrase that was compared "
            "with several corpora enters with its smallest p times their number."
        ),
    ),
    Method(
        title="What people found",
        text=(
            "A reviewer may rate by ear how alike two passages are, from 1 (nothing in common) to 5 "
            "(the same), before any number is shown, and may then mark the match. Agreement is "
            "Spearman's rank correlation of those ratings with the matcher's scores, with its 95% "
            "interval (Fisher's z, variance after Bonett and Wright), from ten rated matches on. Ratings "
            "given after the numbers were seen do not enter it."
        ),
    ),
)
"""What a report on many phrases does beyond one on a single phrase."""

LIMITS = (
    Method(
        title="Only these works",
        text=(
            "Nothing is said about works that are not in the corpus named on the first page. "
            "“No significant match” is a finding about that corpus and nothing else."
        ),
    ),
    Method(
        title="Likeness is not a judgement",
        text=(
            "The numbers say how alike notes are and how surprising that is. Whether anything "
            "follows from it is for people, and in the end for courts, who weigh much that no "
            "number here knows: access, intent, arrangement, words, sound."
        ),
    ),
    Method(
        title="Common formulas",
        text=(
            "In repertoire made of formulas (cadences, reels, blues) short quotations are common "
            "stock. A short phrase can hardly be told from them, and the p-value says so by being large."
        ),
    ),
    Method(
        title="Terms as recorded",
        text=(
            "Owners, licences and terms are given as the corpus records them. Where they are "
            "unknown, this report says so and assumes nothing."
        ),
    ),
)


def style_sentence(p_value: float, null_size: int) -> str:
    """The verdict as a reader can picture it."""
    if null_size and p_value <= 1 / (null_size + 1):
        return (
            f"None of {null_size:,} phrases of unrelated works, as long as this one, comes as close "
            "to a work of this corpus."
        )
    in_thousand = 1000 * p_value
    share = f"{in_thousand:.0f}" if in_thousand >= 10 else f"{in_thousand:.2g}"
    return (
        f"Of 1,000 phrases of unrelated works, as long as this one, about {share} come as close to "
        f"a work of this corpus (counted over {null_size:,})."
    )


def chance_sentence(chance: Chance) -> str:
    """How far chance gets, and in whose manner it was let play."""
    like = f" in the manner of {chance.reference}," if chance.reference else ""
    made = f"melodies made by chance, note after note,{like}" if like else "melodies made by chance"
    if chance.p_value <= 1 / (chance.size + 1):
        return f"None of {chance.size:,} {made} comes as close to a work of this corpus."
    share = 1000 * chance.p_value
    told = f"{share:.0f}" if share >= 10 else f"{share:.2g}"
    return (
        f"Of 1,000 {made} about {told} come as close to a work of this corpus "
        f"(counted over {chance.size:,})."
    )


def common_sentence(common: Common) -> str:
    """How many hold the passage, and what that says."""
    works, authors = counted(common.works, "work"), counted(common.authors, "author")
    if common.works == 1:
        return "No other work of this corpus holds the passage at 90% of its score."
    named = f": {listed(common.examples)}" if common.examples else ""
    more = " among them" if named and len(common.examples) < common.works else ""
    said = f"{works} by {authors} hold the passage at 90% of its score{more and ',' + more}{named}."
    if common.authors >= FEW_AUTHORS:
        said += " What so many share belongs to the style more than to any one of them."
    return said


_MODEL = "model:"


def _held_against(name: str) -> str:
    """A corpus, or a model whose fingerprints stood in for its music."""
    model = name.removeprefix(_MODEL)
    return name if model == name else f"the fingerprints of the works that {model} was trained on"


_PRINTED = (
    "Fingerprints know nothing of drums, of longer runs made of twelves that are exempt, and of what goes "
    "on from notes that the prompt quotes. "
)


def guard_sentence(guard: Mapping[str, Any]) -> str:
    """What a guard promises, whom it exempts, and how little evades it."""
    notes, names = guard["notes"], [str(row["name"]) for row in guard["corpora"]]
    printed = any(name.startswith(_MODEL) for name in names)
    return (
        f"While this was made a guard of {notes} notes was on against "
        f"{listed([_held_against(name) for name in names])}: no line of it holds "
        f"{notes} notes in a row, equal in steps and rhythm, that a work holds, in any key and tempo. "
        f"Runs held by {guard['stock_authors']} authors or more, and what the prompt quotes, are "
        f"exempt. {_PRINTED if printed else ''}One changed note evades a "
        "guard: it rules out copies, not likeness."
    )
