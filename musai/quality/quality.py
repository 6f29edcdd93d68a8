"""The whole table: the same continuations by a model, by n-grams and by humans, measured in every way."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import numpy as np

from musai.corpus import Corpus
from musai.errors import Altered, check_range
from musai.folders import home
from musai.match import Matcher
from musai.music import Phrase
from musai.quality import ngrams
from musai.quality.copying import Copying, Search, copying
from musai.quality.harmony import Accompaniment, accompaniment
from musai.quality.infill import Infill, infill, whole
from musai.quality.likeness import (
    Floats,
    Likeness,
    Told,
    boosted,
    features,
    folds,
    likeness,
    scale_of,
    told,
)
from musai.quality.prompts import Aside, Prompt, aside, halves, on_grid, prompts
from musai.transformer import Player, checkpoint
from musai.transformer.baseline import Baseline
from musai.transformer.checkpoint import Model
from musai.transformer.data import Piece, encode_work
from musai.transformer.recipe import Recipe

Progress = Callable[[int, int, str], None]

MOST_SETTINGS = 60
"""Tunes that are set, at most."""

SETTING_VOICES = 3
"""Voices from which music counts as a setting of its highest voice."""

FEW_SETTINGS = 5
"""Settings in four parts that are enough to be measured by."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything that a card tells of a model's music; `phrases` from works of `works` clusters.

    `trained`: works that it was trained on; `bits`: a note of the works aside, of the model and n-grams;
    `likeness` and `told` by who played: model, baseline, human (likeness alone).
    """

    model_id: str
    corpus_id: str
    seed: int
    phrases: int
    works: int
    trained: int
    bits: dict[str, dict[str, float]]
    likeness: dict[str, Likeness]
    told: dict[str, dict[str, Told]]
    copying: Copying
    infill: Infill
    accompaniment: Accompaniment | None
    plain: dict[str, Any] | None = None

    @property
    def classifier_auc(self) -> float:
        """The worse of the classifiers: the one that tells the model's phrases best."""
        return max(one.auc for one in self.told["model"].values())

    def plain_values(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "classifier_auc": self.classifier_auc}


def measure(
    name: str | None,
    corpus: str | None,
    count: int,
    seed: int,
    progress: Progress,
    plain_steps: int | None = None,
) -> tuple[Quality, Model]:
    """Measure a model on the works of its corpus that it never saw; `plain_steps` as of `plain.measured`.

    Raises `NotFound` and `BadInput` where there are no such works, `Altered` for a damaged model.
    """
    check_range("--phrases", count, 20, 10_000)
    model = checkpoint.load(name)
    former = _former_plain(model)
    source = Corpus.open(corpus or str(model.origin["corpus"]))
    progress(0, 1, "works that it never saw")
    held = aside(model, source)
    asked = prompts(source, held, count)
    progress(1, 1, "works that it never saw")
    player = Player(model)
    human = [prompt.truth for prompt in asked]
    ours = _played(player, asked, seed, progress)
    baseline = _ngrams(model, source)
    by_ngrams = _by_ngrams(baseline, model, asked, seed, progress)
    bits = _bits(model, source, held, baseline)
    groups = [prompt.group for prompt in asked]
    rows = {
        who: features(made)
        for who, made in (("model", ours), ("baseline", by_ngrams), ("human", human))
    }
    progress(0, 1, "features")
    alike = _likenesses(rows, asked)
    progress(1, 1, "features")
    heard = {
        who: _told(made, human, rows[who], rows["human"], groups, who, progress)
        for who, made in (("model", ours), ("baseline", by_ngrams))
    }
    matcher = Matcher.open(source, null="build", progress=progress)
    search = Search(matcher, checkpoint.work_ids(model.folder))
    copies = copying(
        search, ours, human, [p.work_id for p in asked], groups, _named(progress, "copying")
    )
    progress(0, 1, "infill")
    filled = infill(player, asked, count)
    progress(1, 1, "infill")
    progress(0, 1, "accompaniment")
    settings, collection = _settings(asked)
    led = accompaniment(player, settings, collection) if len(settings) > 1 else None
    progress(1, 1, "accompaniment")
    plain = _plain(model, source, plain_steps, progress) if plain_steps else former
    return (
        Quality(model.model_id, source.id, seed, len(asked), len(set(groups)),
                len(checkpoint.work_ids(model.folder)), bits, alike, heard, copies,
                filled, led, plain),
        model,
    )  # fmt: skip


def _plain(model: Model, corpus: Corpus, steps: int, progress: Progress) -> dict[str, Any]:
    from musai.quality.plain import measured

    place = home() / "audit" / "plain" / f"{model.model_id[:16]}-{steps}"
    return measured(model, corpus, steps, place, progress)._asdict()


def _former_plain(model: Model) -> dict[str, Any] | None:
    """What an earlier table says of the plain baseline; one that cannot be read says nothing."""
    try:
        former = kept(model)
    except Altered:
        return None
    return None if former is None else former.plain


def kept(model: Model) -> Quality | None:
    """The figures of an earlier table of this very model.  Raises `Altered` where they cannot be read."""
    path = model.folder / checkpoint.QUALITY
    if not path.is_file():
        return None
    try:
        held = msgspec.json.decode(path.read_bytes(), type=Quality)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Altered(
            f"{path} holds no table of figures: {error}; measure anew without it"
        ) from None
    return held if held.model_id == model.model_id else None


def _named(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(done, total, what)


def _played(player: Player, asked: Sequence[Prompt], seed: int, progress: Progress) -> list[Phrase]:
    made = []
    for number, prompt in enumerate(asked):
        progress(number, len(asked), "phrases of the model")
        made.append(on_grid(player.play(prompt.request(seed + number))))
    progress(len(asked), len(asked), "phrases of the model")
    return made


def _ngrams(model: Model, corpus: Corpus) -> Baseline:
    """N-grams that counted the model's training works."""
    here = [work_id for work_id in checkpoint.work_ids(model.folder) if work_id in corpus]
    return Baseline(_pieces(model, corpus, here))


def _pieces(model: Model, corpus: Corpus, work_ids: Sequence[str]) -> list[Piece]:
    numbers = {name: 1 + k for k, name in enumerate(model.collections)}
    recipe = Recipe.read(model.folder / checkpoint.RECIPE)
    pieces = []
    for work_id in work_ids:
        work = corpus.work(work_id)
        name = recipe.group_of(work.collection, work.source)
        number, phrase = numbers.get(name, 0), corpus.phrase(work_id)
        pieces.append(encode_work(work_id, phrase, number, name, played=model.shape.loud))
    return pieces


def _bits(
    model: Model, corpus: Corpus, held: Aside, baseline: Baseline
) -> dict[str, dict[str, float]]:
    from musai.transformer.network import Network
    from musai.transformer.training import evaluate

    pieces = _pieces(model, corpus, held.works)
    network = Network.of(model.shape, model.weights)
    return {"model": evaluate(network, pieces), "n-grams": baseline.bits(pieces)}


def _by_ngrams(
    baseline: Baseline, model: Model, asked: Sequence[Prompt], seed: int, progress: Progress
) -> list[Phrase]:
    made = []
    for number, prompt in enumerate(asked):
        progress(number, len(asked), "phrases of the n-grams")
        made.append(on_grid(ngrams.play(baseline, model, prompt.request(seed + number))))
    progress(len(asked), len(asked), "phrases of the n-grams")
    return made


def _likenesses(rows: dict[str, Floats], asked: Sequence[Prompt]) -> dict[str, Likeness]:
    """One half's phrases, by each, beside the human ones of the other half's works."""
    first = halves(asked)
    groups = np.array([prompt.group for prompt in asked])
    scale = scale_of(rows["human"])
    beside = rows["human"][~first], groups[~first].tolist()
    return {
        who: likeness(made[first], groups[first].tolist(), *beside, scale)
        for who, made in rows.items()
    }


def _told(
    ours: Sequence[Phrase],
    human: Sequence[Phrase],
    rows: Floats,
    human_rows: Floats,
    groups: Sequence[str],
    who: str,
    progress: Progress,
) -> dict[str, Told]:
    from musai.quality.listener import listened

    truth = np.repeat([False, True], [len(ours), len(human)])
    both = [*groups, *groups]
    fold = folds(both)
    progress(0, 1, f"classifiers, {who}")
    trees = boosted(np.concatenate([rows, human_rows]), truth, fold)
    heard = listened([*ours, *human], truth, fold, _named(progress, f"classifiers, {who}"))
    return {"boosted": told(trees, truth, both), "transformer": told(heard, truth, both)}


def _settings(asked: Sequence[Prompt]) -> tuple[list[Phrase], str]:
    """Passages in several voices, each one line and the first the highest, of one collection: in four
    parts where there are some, else of what there is most."""
    found: dict[tuple[str, int], list[Phrase]] = {}
    for prompt in asked:
        passage = whole(prompt)
        if len(passage.voices) >= SETTING_VOICES and _in_lines(passage):
            found.setdefault((prompt.collection, len(passage.voices)), []).append(passage)
    if not found:
        return [], ""
    collection, voices = max(
        found, key=lambda key: (key[1] == 4 and len(found[key]) >= FEW_SETTINGS, len(found[key]))
    )
    return found[collection, voices][:MOST_SETTINGS], collection


def _in_lines(phrase: Phrase) -> bool:
    heights = []
    for voice in range(len(phrase.voices)):
        notes = phrase.notes[phrase.notes["voice"] == voice]
        end = notes["onset"].astype(np.int64) + notes["duration"]
        if not len(notes) or (notes["onset"][1:] < end[:-1]).any():
            return False
        heights.append(float(notes["pitch"].mean()))
    return heights[0] == max(heights)
