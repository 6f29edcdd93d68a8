"""Is this the phrase that was recorded?  Note for note, and where not.  Pure."""

from dataclasses import dataclass
from typing import Any

from musai.music import Phrase


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the ledger holds of the phrase to be made again."""

    replay_id: str
    model: str
    model_id: str
    corpus_id: str
    made_with: dict[str, Any]
    phrase: Phrase
    guard: dict[str, Any] | None = None


def changed_settings(recorded: dict[str, Any], here: dict[str, Any]) -> str:
    """ "numpy 2.1.0 became 2.3.1; ..." for a replay that differs; empty where nothing changed."""
    names = sorted({*recorded, *here})
    changed = [name for name in names if recorded.get(name) != here.get(name)]
    return "; ".join(f"{name} {recorded.get(name)} became {here.get(name)}" for name in changed)
