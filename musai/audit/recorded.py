"""What an audit of memorization found: records, what follows from a probability, the file in a model's folder."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from musai.audit.windows import LEAST, PREFIX, STRIDE
from musai.errors import Altered
from musai.files import write_whole
from musai.transformer import checkpoint

TAKES = (1, 100, 10_000)
"""Numbers of takes for which the probability of an extraction is told."""

FORMAT = "musai-memorization-1"


@dataclass(frozen=True, slots=True)
class WorkRecall:
    """A work: how many windows, the worst of them, and what was found of it.

    `event` is the worst window's first event in the work; probabilities are natural logarithms,
    None for 0 (unreachable under the sampler).
    """

    work_id: str
    title: str
    windows: int
    reachable: int
    event: int
    raw: float | None
    drawn: float | None
    drawn_long: float | None
    events: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The worst window of a work under the halves, with it and without it, and near-verbatim (natural
    logarithms); `repeats` is the share of its events that repeat the prefix; its pitches, where the work's terms allow that they are shown."""

    work_id: str
    near: float | None = None
    with_it: float | None = None
    without_it: float | None = None
    repeats: float | None = None
    given: tuple[int, ...] = ()
    goes_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """A whole audit.  `short` works had no window; `missing` ones are not in the corpus."""

    model: str
    model_id: str
    corpus_id: str
    temperature: float
    top_p: float
    works: tuple[WorkRecall, ...]
    short: tuple[str, ...]
    missing: tuple[str, ...]
    compared: tuple[Compared, ...] = ()
    half_steps: int = 0
    format: str = FORMAT
    window: dict[str, int] = field(
        default_factory=lambda: {"prefix": PREFIX, "events": LEAST, "stride": STRIDE}
    )


def extraction(log_p: float | None, takes: int) -> float:
    """1 - (1 - p)^n: the probability that n takes from the same prefix draw it at least once."""
    if log_p is None or log_p == -math.inf:
        return 0.0
    p = math.exp(min(0.0, log_p))
    return 1.0 if p >= 1 else -math.expm1(takes * math.log1p(-p))


def luck(log_p: float | None) -> float | None:
    """-log2 p: bits of luck; None where it cannot be drawn."""
    return None if log_p is None or log_p == -math.inf else abs(log_p / math.log(2))


def worst(told: Audit, count: int) -> list[WorkRecall]:
    """The works likeliest drawn, the likeliest first; those that cannot be drawn come last, by raw."""
    infinity = -math.inf

    def key(row: WorkRecall) -> tuple[float, float]:
        drawn = infinity if row.drawn is None else row.drawn
        return -drawn, -(infinity if row.raw is None else row.raw)

    return sorted(told.works, key=key)[:count]


_LINK = f"\n- What it has by heart, work by work: [{checkpoint.RECALL_PAGE}]({checkpoint.RECALL_PAGE}).\n"


def save(told: Audit, page: str, folder: Path) -> None:
    """Put the audit and its page into a model's folder, their hashes beside the others."""
    data = (
        json.dumps(asdict(told), ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
    )
    write_whole(folder / checkpoint.RECALL, data.encode())
    write_whole(folder / checkpoint.RECALL_PAGE, page.encode())
    card = folder / checkpoint.CARD
    if card.is_file() and checkpoint.RECALL_PAGE not in (text := card.read_text("utf-8")):
        write_whole(card, (text.rstrip() + _LINK).encode())
    checkpoint.write_sums(folder)


def load(folder: Path) -> Audit | None:
    """The audit in a model's folder, whose hashes were checked; None where there is none.

    Raises `Altered` for one that cannot be read.
    """
    path = folder / checkpoint.RECALL
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["works"] = tuple(WorkRecall(**row) for row in values["works"])
        values["compared"] = tuple(
            Compared(**{**row, "given": tuple(row["given"]), "goes_on": tuple(row["goes_on"])})
            for row in values["compared"]
        )
        for name in ("short", "missing"):
            values[name] = tuple(values[name])
        return Audit(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise Altered(f"{path} cannot be read: {error}") from None
