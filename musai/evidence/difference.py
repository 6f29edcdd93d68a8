"""Two phrases note by note: where the second first differs from the first.  Pure."""

from typing import Any

from musai.music import NOTE, Phrase

IDENTICAL = "identical"


def notewise(recorded: Phrase, made: Phrase) -> str:
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


def _differences(old: Any, new: Any) -> str:
    names = [name for name in NOTE.names or () if old[name] != new[name]]
    return ", ".join(f"{name} {old[name]} became {new[name]}" for name in names)
