"""From a recipe and a corpus to a model folder: the pieces, the split, the styles, the files."""

import csv
import hashlib
import io
import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

import numpy as np

from musai.corpus import Corpus, Work, permission
from musai.errors import BadInput, NotAllowed, NotFound
from musai.music import Phrase
from musai.music.keys import phrase_key
from musai.transformer import data
from musai.transformer.checkpoint import CollectionStyle, VoiceStyle, start_of
from musai.transformer.recipe import Recipe

MOST_STYLES = 32
"""Collections that a model can be told."""

_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True, slots=True)
class Material:
    """What training reads: the works, their encodings, and which are held out.

    `material_id`: SHA-256 over the ids, phrases, collections and sides of all works, which is all
    of the corpus that the weights depend on.
    """

    material_id: str
    works: tuple[Work, ...]
    train: tuple[data.Piece, ...]
    held_out: tuple[data.Piece, ...]
    styles: tuple[CollectionStyle, ...]


def gather(
    corpus: Corpus,
    recipe: Recipe,
    on: date,
    progress: Callable[[str], None] = print,
    spared: Collection[str] = (),
) -> Material:
    """Read, encode and split all works of the corpus; `on` is the day whose terms count.

    `spared` works are read and measured, and not trained on, so that their terms need not allow it.
    Raises `NotAllowed` naming the works whose terms do not allow training; a recipe trains on
    all of its corpus or on nothing, so that "the corpus" never means a part of it.
    """
    refused = [
        work
        for work in corpus.works
        if work.id not in spared and not permission(work, "train", on=on).allowed
    ]
    if refused:
        first = "; ".join(f"{work.title} ({work.id[:12]})" for work in refused[:5])
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        raise NotAllowed(
            f"{len(refused)} works of corpus {corpus.name} do not allow training: {first}{more}; "
            "take them out with `musai corpus remove`, record their terms, or, where they are your "
            "own, declare it with --mine"
        )
    works = sorted(corpus.works, key=lambda work: work.id)
    if not works:
        raise NotFound(f"corpus {corpus.name} holds no works to train on")
    phrases = {work.id: data.fitting(corpus.phrase(work.id)) for work in works}
    group = {work.id: recipe.group_of(work.collection, work.source) for work in works}
    played = recipe.shape.loud
    named = [(group[work.id], phrases[work.id]) for work in works]
    styles = styles_of(named, tuple(recipe.groups))
    start = start_of(recipe)
    if start is not None:
        styles = added(start.styles, styles)
    names = tuple(style.name for style in styles)
    progress(f"clustering {len(works)} works")
    cluster = data.clusters([(work.id, work.title, phrases[work.id]) for work in works])
    digest = hashlib.sha256(b"musai-material-1\n")
    train: list[data.Piece] = []
    aside: list[data.Piece] = []
    aside_clusters = {
        name
        for name in cluster.values()
        if data.held_out(name, recipe.schedule.seed, recipe.held_out)
    }
    if recipe.start and not aside_clusters and recipe.held_out > 0:
        # Of a few works none may fall aside by chance, and then nothing could be said of the model.
        if len(set(cluster.values())) < 2:
            raise BadInput(
                f"the {len(works)} works of corpus {corpus.name} are versions of one piece; legal is "
                "two pieces or more, so that one can be held out"
            )
        aside_clusters = data.first_aside(cluster.values(), recipe.schedule.seed)
    chosen = _few(recipe, [w.id for w in works if cluster[w.id] not in aside_clusters])
    for work in works:
        if cluster[work.id] not in aside_clusters and work.id not in chosen:
            continue
        own = group[work.id]
        number = 1 + names.index(own) if own in names else 0
        piece = data.encode_work(work.id, phrases[work.id], number, own, played=played)
        kept_out = cluster[work.id] in aside_clusters
        (aside if kept_out else train).append(piece)
        line = f"{work.id} {phrases[work.id].id} {own} {kept_out}\n"
        digest.update(line.encode())
    progress(f"{len(train)} works to train on, {len(aside)} held out")
    return Material(digest.hexdigest(), tuple(works), tuple(train), tuple(aside), styles)


def _few(recipe: Recipe, work_ids: Sequence[str]) -> Collection[str]:
    """The works that a recipe for few of them trains on: those whose hashes come first; else all."""
    if not recipe.works:
        return frozenset(work_ids)

    def place(work: str) -> bytes:
        return hashlib.sha256(f"musai-few-1 {recipe.schedule.seed} {work}".encode()).digest()

    return frozenset(sorted(work_ids, key=place)[: recipe.works])


def styles_of(
    works: Sequence[tuple[str, Phrase]], first: Sequence[str] = ()
) -> tuple[CollectionStyle, ...]:
    """What each collection usually is: those in `first`, then the largest, at most `MOST_STYLES`."""
    groups: dict[str, list[Phrase]] = defaultdict(list)
    for name, phrase in works:
        groups[name].append(phrase)
    leading = [name for name in first if name in groups]
    others = sorted(groups.keys() - set(leading), key=lambda name: (-len(groups[name]), name))
    return tuple(_style(name, groups[name]) for name in [*leading, *others][:MOST_STYLES])


def added(
    known: tuple[CollectionStyle, ...], new: tuple[CollectionStyle, ...]
) -> tuple[CollectionStyle, ...]:
    """Styles of a model that goes on learning: those it had keep their numbers.

    A new one takes the next free number, or the last ones where none is free.
    """
    ours = [style for style in new if style.name not in {old.name for old in known}]
    kept = known[: MOST_STYLES - len(ours)]
    return (*kept, *ours)[:MOST_STYLES]


def _style(name: str, phrases: Sequence[Phrase]) -> CollectionStyle:
    layouts = Counter(
        tuple((voice.program, voice.drum) for voice in phrase.voices) for phrase in phrases
    )
    layout = min(layouts, key=lambda key: (-layouts[key], key))
    same = [p for p in phrases if tuple((x.program, x.drum) for x in p.voices) == layout]
    voices = tuple(_voice(same, i) for i in range(len(layout)))
    signatures = Counter(map(_signature, phrases))
    keys = Counter(phrase_key(p) for p in phrases)
    tonic, minor = min(keys, key=lambda key: (-keys[key], key))
    tempo = float(np.median([p.metre.tempos[0].bpm for p in phrases]))
    signature = min(signatures, key=lambda key: (-signatures[key], key))
    return CollectionStyle(
        name, voices, round(tempo, 3), signature, _NAMES[tonic] + ("m" if minor else "")
    )


def _signature(phrase: Phrase) -> tuple[int, int]:
    """The signature that is in force for longest; a piece may begin with an upbeat's."""
    found = phrase.metre.signatures
    ends = [*(signature.tick for signature in found[1:]), max(phrase.length, found[-1].tick + 1)]
    lasting: Counter[tuple[int, int]] = Counter()
    for signature, end in zip(found, ends, strict=True):
        lasting[signature.numerator, signature.denominator] += end - signature.tick
    return min(lasting, key=lambda key: (-lasting[key], key))


def _voice(phrases: Sequence[Phrase], index: int) -> VoiceStyle:
    pitches, lines = [], []
    for phrase in phrases:
        mine = phrase.notes[phrase.notes["voice"] == index]
        pitches.append(mine["pitch"])
        ends = mine["onset"].astype(np.int64) + mine["duration"]
        lines.append(bool((mine["onset"][1:] >= ends[:-1]).all()))
    sung = np.concatenate(pitches) if pitches else np.array([60])
    low, high = np.percentile(sung, [0.5, 99.5]) if len(sung) else (55, 84)
    names = Counter(phrase.voices[index].name for phrase in phrases)
    first = phrases[0].voices[index]
    name = min(names, key=lambda key: (-names[key], key))
    line = float(np.mean(lines)) > 0.9
    return VoiceStyle(name, first.program, first.drum, int(low), int(high), line)


def works_csv(material: Material) -> str:
    """One line a training work: id, title, creators, collection, licence, attribution, notes."""
    trained = {piece.work_id for piece in material.train}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "title", "creators", "collection", "licence", "attribution", "notes"])
    for work in material.works:
        if work.id in trained:
            creators = "; ".join(creator.name for creator in work.creators)
            writer.writerow(
                [
                    work.id,
                    work.title,
                    creators,
                    work.collection,
                    work.licence,
                    work.attribution,
                    work.notes,
                ]
            )
    return out.getvalue()


def origin_of(recipe: Recipe, material: Material, recipe_bytes: bytes) -> dict[str, Any]:
    """What a weights file says of where it comes from."""
    return {
        "recipe_sha256": hashlib.sha256(recipe_bytes).hexdigest(),
        "corpus": recipe.corpus,
        "material_id": material.material_id,
        "works": len(material.train),
        "held_out_works": len(material.held_out),
        "threads": recipe.schedule.threads,
        **({"start": recipe.start_id} if recipe.start else {}),
        "versions": {
            "musai": version("musai"),
            "torch": version("torch"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
    }
