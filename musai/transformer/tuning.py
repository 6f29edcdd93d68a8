"""Going on from a model with one's own works: the recipe that a few of them ask for."""

import math

from musai.corpus import Corpus
from musai.errors import BadInput
from musai.transformer.checkpoint import Model

LEAST_WORKS = 5
ROWS_PER_BATCH = 2048
EPOCHS = 10
"""How often each work is read: held-out works are then near their best, from ten works to a
hundred."""
STEPS = (40, 600)
ROWS_A_NOTE = 1.2
"""Events of a work: notes, bar lines, a header a passage."""

_RECIPE = """\
# Goes on from the model {start} with the works of {corpus}.
name = {name}
corpus = {corpus}
held_out = 0.12
given = 0.35
start = {start}
start_id = "{start_id}"

[groups]
{name} = ""

[shape]
{shape}

[schedule]
seed = {seed}
steps = {steps}
rows_per_batch = {rows}
rate = 0.0006
warmup = {warmup}
epsilon = 1e-5
decay = 0.1
clip = 1.0
dropout = 0.1
threads = {threads}
"""


def recipe_text(
    model: Model,
    corpus: Corpus,
    *,
    name: str,
    seed: int = 7,
    steps: int | None = None,
    threads: int = 1,
    start: str = "",
    place: str = "",
) -> str:
    """A recipe that goes on from a model with a corpus's works, held as one collection.

    `start` and `place` are how the recipe names the two, else by their own names; `steps` follow
    from how much music there is.  Raises `BadInput` for fewer than `LEAST_WORKS` works.
    """
    works = len(corpus.works)
    if works < LEAST_WORKS:
        raise BadInput(
            f"corpus {corpus.name} has {works} works; legal is {LEAST_WORKS} or more, so that some can "
            "be held out"
        )
    rows = ROWS_A_NOTE * sum(work.notes for work in corpus.works)
    least, most = STEPS
    count = steps or min(most, max(least, math.ceil(EPOCHS * rows / ROWS_PER_BATCH)))
    shape = model.shape
    sizes = ("width", "layers", "heads", "inner", "window", "fields", "cards")
    return _RECIPE.format(
        name=_quoted(name),
        corpus=_quoted(place or corpus.name),
        start=_quoted(start or model.name),
        start_id=model.model_id,
        shape="\n".join(f"{size} = {str(getattr(shape, size)).lower()}" for size in sizes),
        seed=seed,
        steps=count,
        rows=ROWS_PER_BATCH,
        warmup=min(20, max(1, count // 10)),
        threads=threads,
    )


def _quoted(text: str) -> str:
    """A TOML string; a literal one would do for Windows paths, but not with quotes in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
