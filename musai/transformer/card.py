"""The model card: what the model is, what it was made from, how good it is, where it ends."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from musai.corpus.licences import MUSIC21
from musai.transformer.making import Material
from musai.transformer.recipe import Recipe

SAMPLES_START, SAMPLES_END = "<!-- samples -->", "<!-- end of samples -->"
"""Between these `musai model samples` puts its pictures."""

_LIMITS = """\
- It knows the styles below and nothing else: no drums, no loudness or timing of its own (both
  follow the prompt, or the metre), little long-range form beyond sixteen bars.
- It was trained without owners' express consent, on works in the public domain; what the people
  who encoded them allow is not stated. Commercial use of what it makes is therefore marked
  *unclear* in every report.
- Small models repeat their sources now and then. Every phrase is compared with the corpus for that
  reason; the comparison sees notes, not influence.
- The split holds out clusters of near-duplicates found by title and by shared runs of intervals.
  Variants of a tune that share neither may stand on both sides.
"""

MOST_CREDITS = 200

_MUSIC21 = (
    "\nGrounds of `LicenseRef-music21-corpus`: the compositions are in the public domain. The encodings "
    "come with the package music21; their encoders' terms are not stated. Matching, training and "
    "showing influence rest on the works being in the public domain; commercial use of generated "
    "music is *unclear*.\n"
)

_LIMITS_ANY = """\
- It knows the music above and nothing else, and little long-range form beyond sixteen bars.
- Small models repeat their sources now and then. Every phrase is compared with the corpus for that
  reason; the comparison sees notes, not influence.
- The split holds out clusters of near-duplicates found by title and by shared runs of intervals.
  Variants that share neither may stand on both sides; drums are told apart by title alone.
"""


def card_text(
    recipe: Recipe,
    material: Material,
    origin: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, float]],
) -> str:
    """The whole card as Markdown."""
    parts = [
        f"# {recipe.name}\n",
        f"A decoder-only transformer over notes: {recipe.shape.parameters:,} parameters, "
        f"{recipe.shape.layers} layers of {recipe.shape.width}, a window of {recipe.shape.window} "
        "events. It answers in one to sixteen voices, note by note, from a seed.\n",
        "## Data\n",
        _data(material),
        _grounds(material),
        f"\nCorpus `{recipe.corpus}`, material `{material.material_id}`.\n",
        "\n## Quality\n",
        f"Bits a note on {len(material.held_out)} held-out works "
        f"({sum(p.notes for p in material.held_out):,} notes), bar lines included; the baseline is "
        "an interpolated n-gram model (Witten-Bell) on the same fields, its order chosen by "
        "field.\n\n",
        _table(figures),
        _memory(figures),
        "\n## Seeds and repeatability\n",
        f"Recipe seed {recipe.schedule.seed}; {recipe.schedule.threads} thread(s). The same recipe, "
        "corpus and build give the same weights, bit for bit. Built with "
        + ", ".join(f"{name} {value}" for name, value in origin["versions"].items())
        + ".\n",
        f"\n## Samples\n\n{SAMPLES_START}\n{SAMPLES_END}\n",
        "\n## Limits\n\n",
        _limits(recipe, material),
        _short_of(figures),
    ]
    return "".join(parts)


def _memory(figures: Mapping[str, Mapping[str, float]]) -> str:
    """What a model that went on learning from a few works has learned by heart."""
    if "start" not in figures:
        return ""
    apart = figures["model"]["bits_per_note"] - figures["model_on_training"]["bits_per_note"]
    return (
        f"\nIt went on learning from a few works, and a few works are soon known by heart: a note of a "
        f"training work costs it {apart:.2f} bits less than one of a work that it never saw. `musai "
        "model compare` says how often its phrases hold runs of them; a guard keeps them out.\n"
    )


def _short_of(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Fields that the model tells no better than n-grams do."""
    model, baseline = figures["model"], figures["baseline"]
    short = [name for name, bits in baseline.items() if model.get(name, 0.0) >= bits > 0]
    if not short:
        return ""
    return (
        f"- It tells {' and '.join(short)} no better than n-grams do: longer training would make it better, and "
        "a lower temperature (.8) and top-p (.9) make up for some of it.\n"
    )


def _grounds(material: Material) -> str:
    """On what grounds the works are used: their licences, and the credits that these ask for."""
    trained = {piece.work_id for piece in material.train}
    works = [work for work in material.works if work.id in trained]
    licences = Counter(work.licence for work in works)
    credits = sorted({work.attribution for work in works if work.attribution})
    rows = [f"| {name} | {licences[name]:,} |\n" for name in sorted(licences)]
    return (
        "\nEvery work's terms allow training; `works.csv` lists each with its id, licence and "
        "credit.\n\n| licence | training works |\n|---|---|\n"
        + "".join(rows)
        + (_MUSIC21 if MUSIC21 in licences else "")
        + _credits(credits)
    )


def _credits(credits: Sequence[str]) -> str:
    if not credits:
        return ""
    return (
        "\nTheir licences ask for these credits, which go with the weights and with what is made "
        "by them:\n\n"
        + "".join(f"- {text}\n" for text in credits[:MOST_CREDITS])
        + (
            f"- and {len(credits) - MOST_CREDITS} more, in `works.csv`\n"
            if len(credits) > MOST_CREDITS
            else ""
        )
    )


def _limits(recipe: Recipe, material: Material) -> str:
    if any(work.licence == MUSIC21 for work in material.works):
        return _LIMITS
    return _LIMITS_ANY


def _data(material: Material) -> str:
    works = Counter(piece.collection for piece in material.train)
    notes: Counter[str] = Counter()
    for piece in material.train:
        notes[piece.collection] += piece.notes
    rows = [
        f"| {name} | {works[name]:,} | {notes[name]:,} |\n"
        for name in sorted(works, key=lambda name: (-works[name], name))
    ]
    total = f"| **all** | {len(material.train):,} | {sum(notes.values()):,} |\n"
    return "| collection | training works | notes |\n|---|---|---|\n" + "".join(rows) + total


def _table(figures: Mapping[str, Mapping[str, float]]) -> str:
    names = list(figures["model"])
    heads = {
        "model": "this model",
        "baseline": "n-gram baseline",
        "model_on_training": "this model on training works",
        "start": "the model it began from",
    }
    lines = ["| | " + " | ".join(name.replace("_", " ") for name in names) + " |\n"]
    lines.append("|---|" + "---|" * len(names) + "\n")
    for key, head in heads.items():
        if key not in figures:
            continue
        told = figures[key]
        cells = " | ".join(f"{told[name]:.3f}" if name in told else "" for name in names)
        lines.append(f"| {head} | {cells} |\n")
    return "".join(lines)
