"""Prompts: bars of works that a model never saw, and the human bars that follow them.

Every measure of the table looks at the same continuations: what a model plays after a prompt, what the
baseline plays after it, and what the human wrote.  All of them are brought to the model's grid and one
loudness, so that nothing tells them apart but their notes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from musai.corpus import Corpus, permission
from musai.errors import BadInput, NotFound
from musai.music import Phrase, Signature, notes_array
from musai.music.keys import phrase_key, signature_of
from musai.music.metre import Key
from musai.music.notes import untangled
from musai.transformer import checkpoint
from musai.transformer import vocabulary as v
from musai.transformer.checkpoint import Model
from musai.transformer.data import clusters
from musai.transformer.encoding import bars_of, grid_notes
from musai.transformer.recipe import Recipe
from musai.transformer.request import Request
from musai.transformer.spans import metre_of
from musai.transformer.vocabulary import STEP_TICKS

CONTEXT, BARS = 4, 8
"""Bars of a prompt, and of what follows."""

LOUDNESS = 80


@dataclass(frozen=True, slots=True)
class Prompt:
    """Four bars of a held-out work and the eight that follow; `group`: its cluster of near-duplicates."""

    work_id: str
    group: str
    collection: str
    context: Phrase
    truth: Phrase

    def request(self, seed: int, **wishes: object) -> Request:
        """A request that goes on from the prompt as the human did."""
        told = self.collection or None
        return Request("continue", BARS, seed, self.context, collection=told, **wishes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Aside:
    """Works of the model's corpus that it was not trained on, with cluster and collection."""

    works: tuple[str, ...]
    groups: dict[str, str]
    collections: dict[str, str]


def aside(model: Model, corpus: Corpus) -> Aside:
    """The held-out works whose terms allow that they are matched.

    A work that is a near-duplicate of one that was trained on is not among them.  Raises
    `NotFound` where nothing is left.
    """
    trained = set(checkpoint.work_ids(model.folder))
    recipe = Recipe.read(model.folder / checkpoint.RECIPE)
    works = sorted(corpus.works, key=lambda work: work.id)
    found = clusters([(work.id, work.title, corpus.phrase(work.id)) for work in works])
    taken = {found[work.id] for work in works if work.id in trained}
    left = [
        work for work in works if found[work.id] not in taken and permission(work, "match").allowed
    ]
    if not left:
        raise NotFound(
            f"corpus {corpus.name} holds no work that model {model.name} was not trained on; name one "
            "that does with --corpus"
        )
    known = set(model.collections)
    named = {work.id: recipe.group_of(work.collection, work.source) for work in left}
    return Aside(
        tuple(work.id for work in left),
        {work.id: found[work.id] for work in left},
        {work: name if name in known else "" for work, name in named.items()},
    )


def prompts(corpus: Corpus, held: Aside, count: int) -> list[Prompt]:
    """`count` prompts at most, as many of each work as it takes, spread over the works.

    Raises `BadInput` where no work is long enough.
    """
    rounds: list[list[Prompt]] = []
    for work in held.works:
        for number, (context, truth) in enumerate(_windows(corpus.phrase(work))):
            if number == len(rounds):
                rounds.append([])
            prompt = Prompt(work, held.groups[work], held.collections[work], context, truth)
            rounds[number].append(prompt)
    every = [prompt for part in rounds for prompt in part][:count]
    if len(every) < 4:
        raise BadInput(
            f"{len(every)} passages of {CONTEXT + BARS} bars in one metre are in the {len(held.works)} "
            "held-out works; legal is 4 or more"
        )
    return every


def _windows(phrase: Phrase) -> Iterator[tuple[Phrase, Phrase]]:
    """Passages side by side, in one metre, with notes in prompt and continuation of each voice."""
    if len(phrase.voices) > v.VOICES:
        return
    starts = phrase.metre.bars_until(max(1, phrase.length))
    ticks = [tick for tick, _ in starts]
    step = CONTEXT + BARS
    first = 0
    while first + step < len(starts):
        here = starts[first : first + step]
        same = {(s.numerator, s.denominator, s.bar_ticks) for _, s in here}
        lengths = np.diff(ticks[first : first + step + 1])
        if len(same) > 1 or len(set(lengths.tolist())) > 1 or _odd(here[0][1]):
            first += 1
            continue
        context = cut(phrase, first, CONTEXT)
        truth = cut(phrase, first + CONTEXT, BARS)
        if len(context) >= CONTEXT and len(truth) >= BARS and _known(context, truth):
            yield context, truth
        first += step


def _odd(signature: Signature) -> bool:
    return signature.bar_ticks > v.MAX_BAR * STEP_TICKS or signature.bar_ticks % STEP_TICKS != 0


def _known(context: Phrase, truth: Phrase) -> bool:
    return set(truth.notes["voice"].tolist()) <= set(context.notes["voice"].tolist())


def cut(phrase: Phrase, first: int, bars: int) -> Phrase:
    """The notes that begin in so many bars, on the grid, cut off at their end, in the phrase's key."""
    starts = [tick for tick, _ in phrase.metre.bars_until(max(1, phrase.length))]
    tonic, minor = phrase_key(phrase)
    metre = metre_of(phrase, first, bars, None, Key(0, signature_of(tonic, minor), minor))
    start = starts[first]
    stop = start + bars * phrase.metre.signature_at(start).bar_ticks
    notes = phrase.notes[(phrase.notes["onset"] >= start) & (phrase.notes["onset"] < stop)]
    onset = notes["onset"].astype(np.int64) - start
    length = np.minimum(notes["duration"].astype(np.int64), stop - start - onset)
    moved = notes_array(onset, length, notes["pitch"], LOUDNESS, notes["voice"])
    return on_grid(Phrase(moved, metre, phrase.voices, stop - start))


def on_grid(phrase: Phrase) -> Phrase:
    """The phrase as the model could have said it: on the grid, of one loudness, within its length."""
    bars = bars_of(phrase)
    rows = []
    for note in grid_notes(phrase, bars, 0):
        onset = bars[note.bar].tick + note.position * STEP_TICKS
        steps = int(v.DURATIONS[note.duration]) * STEP_TICKS
        rows.append((onset, min(steps, phrase.length - onset), note.pitch, LOUDNESS, note.voice))
    table = np.array(sorted(rows), np.int64).reshape(-1, 5)
    return phrase.with_notes(untangled(notes_array(*table.T)), phrase.length)


def halves(prompts: Sequence[Prompt]) -> np.ndarray:
    """Which of two halves each prompt belongs to, bool (prompts,): whole clusters, turn by turn."""
    order = {group: number for number, group in enumerate(sorted({p.group for p in prompts}))}
    return np.array([order[p.group] % 2 == 0 for p in prompts])
