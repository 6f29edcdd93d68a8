"""The table as a part of the model's card."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from musai.quality.harmony import Leading
from musai.quality.prompts import BARS, CONTEXT
from musai.quality.quality import Quality
from musai.transformer.vocabulary import OUTPUTS

START, END = "<!-- quality -->", "<!-- end of quality -->"
BEFORE = "\n## Seeds and repeatability\n"
"""The part of a card that the table stands in front of."""

FEW = 6
"""Features that are told by name: those least like the human's."""


def section(told: Quality, beside: Sequence[Mapping[str, Any]] = ()) -> str:
    """Markdown, between its marks; `beside`: plain values of models of fewer works."""
    return "".join(
        [
            f"{START}\n",
            f"{told.phrases} continuations of {BARS} bars, each after {CONTEXT} bars of a work that the model "
            f"never saw ({told.works} clusters of near-duplicates), seed {told.seed} on; those of the n-gram "
            "baseline, under the same grammar; and the human's. All on the same grid and of one loudness.\n\n",
            _beside(told),
            _copies(told),
            _others(told),
            _bits(told),
            _fewer(told, beside),
            END + "\n",
        ]
    )


def _beside(told: Quality) -> str:
    rows = ["| | this model | n-gram baseline | human |\n|---|---|---|---|\n"]

    def row(what: str, *cells: str) -> None:
        rows.append(f"| {what} | " + " | ".join(cells) + " |\n")

    like = [told.likeness[who] for who in ("model", "baseline", "human")]
    row(
        "overlapping area beside human works, mean of all features (1: alike)",
        *(f"{one.area:.3f}" for one in like),
    )
    row("discrepancy (MMD) from them", *(f"{one.discrepancy:.4f}" for one in like))
    row("its p, works dealt out anew", *(f"{one.p_value:.3f}" for one in like))
    for name in told.told["model"]:
        both = [told.told[who][name] for who in ("model", "baseline")]
        cells = [f"{one.auc:.3f} ({one.low:.3f} to {one.high:.3f})" for one in both]
        row(f"told from human by {_JUDGES[name]}, AUC (.5: not at all)", *cells, "")
    least = sorted(told.likeness["model"].areas.items(), key=lambda pair: pair[1])[:FEW]
    names = ", ".join(f"{name.replace('_', ' ')} {area:.2f}" for name, area in least)
    return "".join(rows) + f"\nLeast alike: {names}.\n\n"


_JUDGES = {
    "boosted": "boosted trees on style features",
    "transformer": "a small transformer on the notes",
}


def _copies(told: Quality) -> str:
    held = told.copying
    mean, most, longest = held.runs
    human_mean, human_most, human_longest = held.human_runs
    return (
        "| copying, guard off, near-duplicates of the prompt's work left out | this model | human |\n|---|---|---|\n"
        f"| share of {held.phrases} phrases with a significant match (p <= .01) among the training works "
        f"| {held.rate:.3f} | {held.human_rate:.3f} |\n"
        f"| longest run in common, mean, .9 quantile, most | {mean:.1f}, {most:.0f}, {longest} "
        f"| {human_mean:.1f}, {human_most:.0f}, {human_longest} |\n\n"
        f"The model's share is {held.excess:+.3f} beside the human's; upper 95% limit of the difference "
        f"{held.upper95:.3f}, works drawn.\n\n"
    )


def _others(told: Quality) -> str:
    filled, led = told.infill, told.accompaniment
    text = (
        f"Infill: of {filled.gaps} gaps of a bar the true bar is the likeliest of {filled.among} in "
        f"{filled.right:.1%} (95% {filled.low:.1%} to {filled.high:.1%}; chance {1 / filled.among:.0%}).\n"
    )
    if led is None:
        return text
    rows = "".join(
        f"| {what} | {_counts(who)} |\n"
        for what, who in (
            ("this model", led.model),
            ("the composer", led.human),
            ("another tune's voices", led.other),
        )
    )
    return (
        f"{text}\n| {led.tunes} tunes set | seconds, tritones, sevenths on beats | parallels a hundred moves "
        f"| voices crossed | leaps beyond an octave |\n|---|---|---|---|---|\n{rows}"
    )


def _bits(told: Quality) -> str:
    held = {"this model": told.bits["model"], "n-grams": told.bits["n-grams"]}
    note = ""
    if told.plain is not None:
        held["one token an attribute"] = told.plain["bits"]
        note = (
            f"\nOne token an attribute: the same trunk, {told.plain['parameters']:,} parameters, "
            f"{told.plain['steps']:,} steps of training.\n"
        )
    names = ["bits_per_note", *list(OUTPUTS)[:4]]
    rows = "".join(
        f"| {who} | " + " | ".join(f"{bits[name]:.3f}" for name in names) + " |\n"
        for who, bits in held.items()
    )
    head = " | ".join(name.replace("_", " ") for name in names)
    return (
        f"\n| bits a note on works never seen | {head} |\n|---|{'---|' * len(names)}\n{rows}{note}"
    )


def _fewer(told: Quality, beside: Sequence[Mapping[str, Any]]) -> str:
    """The same figures of models that were trained on fewer works."""
    if not beside:
        return ""
    rows = "".join(
        f"| {row['trained']:,} | {row['phrases']:,} | {row['bits']['model']['bits_per_note']:.3f} "
        f"| {np.mean(list(row['likeness']['model']['areas'].values())):.3f} "
        f"| {row['classifier_auc']:.3f} | {row['copying']['rate']:.3f} ({row['copying']['excess']:+.3f}) "
        f"| {row['copying']['runs'][0]:.1f} | {row['infill']['right']:.1%} of {row['infill']['gaps']} |\n"
        for row in sorted([*beside, told.plain_values()], key=lambda row: int(row["trained"]))
    )
    return (
        "\n| training works | phrases | bits a note | overlapping area | worse classifier's AUC "
        "| copying (beside the human's) | longest run, mean | infill |\n|---|---|---|---|---|---|---|---|\n"
        + rows
    )


def _counts(led: Leading) -> str:
    return f"{led.harsh:.3f} | {led.parallels:.2f} | {led.crossings:.3f} | {led.leaps:.4f}"


def into(card: str, told: Quality, beside: Sequence[Mapping[str, Any]] = ()) -> str:
    """The card with the table in it, in place of an older one."""
    part = section(told, beside)
    if START in card:
        head, rest = card.split(START, 1)
        return head + part + rest.split(END + "\n", 1)[1]
    if BEFORE in card:
        head, rest = card.split(BEFORE, 1)
        return f"{head}\n{part}{BEFORE}{rest}"
    return f"{card}\n{part}"
