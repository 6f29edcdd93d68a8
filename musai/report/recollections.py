"""An audit of memorization, told: lines for a terminal, JSON values, a page of the model's card.

Numbers come from `musai.audit.recorded`.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from musai.audit.recorded import (
    TAKES,
    Audit,
    Compared,
    extraction,
    luck,
    worst,
)
from musai.report.names import counted, pitch_name

MOSTLY = 0.75
"""Share of its events from which on a window is called a repetition of its prefix."""

LISTED = 30
"""Works that the page lists, the likeliest first."""


def plain(told: Audit) -> dict[str, Any]:
    """JSON values: the audit with the probabilities of each work."""
    values = asdict(told)
    for row, work in zip(values["works"], told.works, strict=True):
        row["bits_of_luck"] = luck(work.drawn)
        row["extraction"] = {str(n): extraction(work.drawn, n) for n in TAKES}
    return {**values, "summary": summary(told)}


def summary(told: Audit) -> dict[str, Any]:
    """The audit in numbers."""
    bits = sorted(bits for row in told.works if (bits := luck(row.drawn)) is not None)
    return {
        "works": len(told.works),
        "works_without_a_window": len(told.short),
        "windows": sum(row.windows for row in told.works),
        "windows_reachable": sum(row.reachable for row in told.works),
        "works_reachable": len(bits),
        "works_at_even_odds": {
            str(n): sum(extraction(row.drawn, n) >= 0.5 for row in told.works) for n in TAKES
        },
        "least_bits_of_luck": bits[0] if bits else None,
        "median_bits_of_luck": bits[len(bits) // 2] if bits else None,
    }


def lines(told: Audit) -> list[str]:
    """What a terminal shows."""
    found = summary(told)
    odds = found["works_at_even_odds"]
    out = [
        f"{told.model}: {counted(found['works'], 'work')}, {counted(found['windows'], 'window')}, of them "
        f"{found['windows_reachable']:,} reachable under its sampler (temperature {told.temperature:g}, "
        f"top-p {told.top_p:g})",
        "works of which 32 events are drawn, given the 64 before, with a probability of a half or more: "
        + ", ".join(f"{odds[str(n)]:,} in {counted(n, 'take')}" for n in TAKES),
        f"{'bits of luck':>13} {'raw':>7} {'in 100':>9} {'in 10,000':>10}  work",
    ]
    out += [
        f"{_bits(row.drawn):>13} {_bits(row.raw):>7} {extraction(row.drawn, 100):>9.2g} "
        f"{extraction(row.drawn, 10_000):>10.2g}  {row.title} ({row.work_id[:12]}, event {row.event})"
        for row in worst(told, 10)
    ]
    return [*out, *sentences(told)]


def sentences(told: Audit) -> list[str]:
    """What to think of the likeliest windows: whether they repeat their prefix, and what halves say."""
    return [_repeats(told), *([_halves(told)] if told.half_steps else [])]


def page(told: Audit) -> str:
    """The page of the card as Markdown."""
    found = summary(told)
    odds = found["works_at_even_odds"]
    parts = [
        f"# What {told.model} has by heart\n",
        f"Model `{told.model_id[:16]}`, corpus `{told.corpus_id[:16]}`. Every window of {counted(found['works'], 'training work')} "
        f"was put to the model: {told.window['prefix']} events of the work (notes and bar lines; fewer where a work is short), then the probability of the "
        f"next {told.window['events']}, a window every {told.window['stride']} events, all told that training tells, no guard. Sampler: temperature "
        f"{told.temperature:g}, top-p {told.top_p:g}; a continuation outside its nucleus cannot be drawn, whatever the seed.\n",
        "| | |\n|---|---|\n"
        f"| windows, of them reachable | {found['windows']:,}, {found['windows_reachable']:,} |\n"
        f"| works, of them with a reachable window | {found['works']:,}, {found['works_reachable']:,} |\n"
        f"| works too short for a window | {found['works_without_a_window']:,} |\n"
        f"| bits of luck, least and median of reachable works | {_number(found['least_bits_of_luck'])}, {_number(found['median_bits_of_luck'])} |\n"
        + "".join(
            f"| works drawn at even odds or better in {counted(n, 'take')} from that very prefix | {odds[str(n)]:,} |\n"
            for n in TAKES
        ),
        "\nBits of luck are -log2 of the probability p: about two to that power of seeds would have to be tried. In n takes the "
        "probability is 1-(1-p)^n. High p does not say that the work was learned by heart: tunes repeat themselves, and a continuation that repeats its "
        "prefix is likely to any model. So the worst windows were also put to two models trained on halves of the works.\n",
        "## The likeliest\n",
        _table(told),
    ]
    parts += [f"\n{sentence}\n" for sentence in sentences(told)]
    parts.append(_shown(told))
    parts.append(
        "\n## Limits\n\n- The prefix is the work's own: nobody who does not have the work would ask so.\n"
        "- Of the grammar only what holds for every request is counted; a request's own limits can raise p.\n"
        "- Near-verbatim is a lower bound: up to 3 of 32 events with another pitch or length, the 16 likeliest such sequences.\n"
        "- What repeats in many works (a cadence, a refrain) is memorized of none.\n"
    )
    return "\n".join(parts)


def _table(told: Audit) -> str:
    compared = {row.work_id: row for row in told.compared}
    head = (
        "| work | event | bits of luck | near-verbatim | raw | in 100 takes | in 10,000 | repeats its prefix | halves: with, without |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    rows = []
    for row in worst(told, LISTED):
        other = compared.get(row.work_id, Compared(row.work_id))
        halves = (
            f"{_bits(other.with_it)}, {_bits(other.without_it)}"
            if other.with_it is not None
            else ""
        )
        rows.append(
            f"| {_escaped(row.title)} `{row.work_id[:12]}` | {row.event} | {_bits(row.drawn)} | "
            f"{'' if other.near is None else _bits(other.near)} | {_bits(row.raw)} | "
            f"{extraction(row.drawn, 100):.2g} | {extraction(row.drawn, 10_000):.2g} | "
            f"{'' if other.repeats is None else f'{other.repeats:.2f}'} | {halves} |\n"
        )
    return head + "".join(rows)


def _repeats(told: Audit) -> str:
    """How many of the likeliest windows only repeat their own prefix, in a sentence."""
    shares = [one.repeats for one in told.compared if one.repeats is not None]
    most = sum(share >= MOSTLY for share in shares)
    return (
        f"Of the {len(shares)} works likeliest drawn, {most} repeat in three quarters or more of these events what the prefix has "
        "already, in runs of 8: going on so needs no memory of the work."
    )


def _halves(told: Audit) -> str:
    """What the halves say of the worst windows, in a sentence."""
    gains = sorted(
        (row.with_it - row.without_it) / math.log(2)
        for row in told.compared
        if row.with_it is not None and row.without_it is not None
    )
    if not gains:
        return "No window was put to the halves."
    middle = gains[len(gains) // 2]
    more = sum(gain > 0 for gain in gains)
    return (
        f"Halves, trained for {told.half_steps:,} steps (fewer than the model, so they know less by heart): of the {len(gains)} works "
        f"likeliest drawn, {more} are likelier to the half that has them than to the one that has not; the median gain is "
        f"{middle:.2f} bits of {told.window['events']} events, the largest {gains[-1]:.1f}."
    )


def _shown(told: Audit) -> str:
    rows = [one for one in told.compared if one.goes_on]
    if not rows:
        return ""
    titles = {row.work_id: row for row in told.works}
    parts = ["\n## The worst windows\n"]
    for one in rows:
        row = titles[one.work_id]
        parts.append(
            f"**{_escaped(row.title)}**, event {row.event}. Given (its last notes): `{_names(one.given)}`. The "
            f"model goes on with {_bits(row.drawn)} bits of luck: `{_names(one.goes_on)}`.\n"
        )
    return "\n".join(parts)


def _names(pitches: Sequence[int]) -> str:
    return " ".join(map(pitch_name, pitches))


def _escaped(text: str) -> str:
    return "".join("\\" + sign if sign in "\\`*_{}[]<>#|" else sign for sign in text)


def _bits(log_p: float | None) -> str:
    found = luck(log_p)
    return "unreachable" if found is None else f"{found:.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
