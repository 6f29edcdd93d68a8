"""What was estimated of a phrase: the record, and the file in which it is kept for whoever looks later."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from musai.files import write_whole


@dataclass(frozen=True, slots=True)
class Pull:
    """One work's estimates for one phrase: word search and gradient, each as a share of the list's top.

    `everywhere`: it heads half of all lists, whatever is asked, and so says little of this phrase.
    """

    work_id: str
    title: str
    collection: str
    licence: str
    lexical: float
    gradient: float
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Influence:
    """What is estimated for a phrase.

    `works` by gradient, `similar` by word search, best first; `collections` the sums of the
    gradient's estimates, negative ones included, largest first.  `agreement` is Spearman's rank
    correlation of the two lists over all works.  `hidden` works do not allow this display and
    `missing` ones are not here: neither is named.
    """

    model: str
    method: str
    reliability: str
    works: tuple[Pull, ...]
    similar: tuple[Pull, ...]
    collections: tuple[tuple[str, float], ...]
    agreement: float
    hidden: int
    missing: int

    @property
    def sentence(self) -> str:
        """Whether what is similar is what moved the phrase, in words."""
        both = {p.work_id for p in self.works} & {p.work_id for p in self.similar}
        shared = f"{len(both)} of the first {len(self.works)} works by gradient are also among those by word search"
        if len(both) * 2 >= len(self.works):
            return f"Similarity and influence agree: {shared}."
        return f"Similarity and influence disagree: {shared}."


FORMAT = "musai-influence-1"


def place(home: Path, model_id: str) -> Path:
    """Where a home folder keeps what belongs to the influence of a model."""
    return home / "influence" / model_id[:16]


def save(found: Influence, home: Path, model_id: str, phrase_id: str) -> Path:
    """Keep an estimate under the model's and the phrase's hash; one made before gives way."""
    path = place(home, model_id) / "phrases" / f"{phrase_id}.json"
    values = {"format": FORMAT, "model_id": model_id, "phrase_id": phrase_id, **asdict(found)}
    write_whole(path, (json.dumps(values, ensure_ascii=False, sort_keys=True) + "\n").encode())
    return path


def load(home: Path, model_id: str, phrase_id: str) -> Influence | None:
    """What was estimated for a phrase; None where nothing was, or what is there cannot be read."""
    path = place(home, model_id) / "phrases" / f"{phrase_id}.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        told = values.pop("format"), values.pop("model_id"), values.pop("phrase_id")
        if told != (FORMAT, model_id, phrase_id):
            return None
        for name in ("works", "similar"):
            values[name] = tuple(Pull(**row) for row in values[name])
        values["collections"] = tuple((str(n), float(v)) for n, v in values["collections"])
        return Influence(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def estimated(home: Path, model_id: str) -> list[str]:
    """Ids of the phrases that were estimated under a model, by id."""
    folder = place(home, model_id) / "phrases"
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def worked_out(home: Path, model_id: str) -> bool:
    """Whether the gradients of a model's training works are kept here (whole or in part)."""
    return (place(home, model_id) / "gradients.npy").is_file()
