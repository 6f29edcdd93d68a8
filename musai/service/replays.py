"""Is this the phrase that was recorded?  Note for note, and where not.  Pure."""

from dataclasses import dataclass
from typing import Any

from musai.music import NOTE, Phrase

IDENTICAL = "identical"


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


def verdict(recorded: Phrase, made: Phrase) -> str:
    """ "identical", or one sentence that names the first difference."""
    if recorded.id == made.id:
        return IDENTICAL
    for index, (old, new) in enumerate(zip(recorded.notes, made.notes, strict=False)):
        if old != new:
            return f"differs at note {index + 1}: {_differences(old, new)}"
    if len(recorded) != len(made):
        shorter, longer = sorted((len(recorded), len(made)))
        have = "recorded" if len(recorded) > len(made) else "made now"
        return f"differs at note {shorter + 1}: {longer} notes {have}, {shorter} otherwise"
    for name in ("metre", "voices", "length"):
        old, new = getattr(recorded, name), getattr(made, name)
        if old != new:
            return (
                f"all {len(made)} notes are identical, but the {name} differs: {old} became {new}"
            )
    return "differs in a way that neither notes, metre, voices nor length show"


def changed_settings(recorded: dict[str, Any], here: dict[str, Any]) -> str:
    """ "numpy 2.1.0 became 2.3.1; ..." for a replay that differs; empty where nothing changed."""
    names = sorted({*recorded, *here})
    changed = [name for name in names if recorded.get(name) != here.get(name)]
    return "; ".join(f"{name} {recorded.get(name)} became {here.get(name)}" for name in changed)


def _differences(old: Any, new: Any) -> str:
    names = [name for name in NOTE.names or () if old[name] != new[name]]
    return ", ".join(f"{name} {old[name]} became {new[name]}" for name in names)
