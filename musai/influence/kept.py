"""What was estimated of a phrase and measured of a model, in files for whoever looks later."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from musai.errors import Altered
from musai.files import write_whole
from musai.influence.found import Influence, Measured

FORMAT = "musai-influence-2"


def place(home: Path, model_id: str) -> Path:
    """Where a home folder keeps what belongs to the influence of a model."""
    return home / "influence" / model_id[:16]


def save(found: Influence, home: Path, phrase_id: str) -> Path:
    """Keep an estimate under the model's and the phrase's hash; one made before gives way."""
    path = place(home, found.model_id) / "phrases" / f"{phrase_id}.json"
    values = {"format": FORMAT, "phrase_id": phrase_id, "found": asdict(found)}
    write_whole(path, _bytes(values))
    return path


def load(home: Path, model_id: str, phrase_id: str) -> Influence | None:
    """What was estimated for a phrase; None where nothing was, or what is there cannot be read."""
    path = place(home, model_id) / "phrases" / f"{phrase_id}.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(values["found"], Influence)
    except (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError):
        return None
    told = values.get("format"), found.model_id, values.get("phrase_id")
    return found if told == (FORMAT, model_id, phrase_id) else None


def estimated(home: Path, model_id: str) -> list[str]:
    """Ids of the phrases that were estimated under a model, by id."""
    folder = place(home, model_id) / "phrases"
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def worked_out(home: Path, model_id: str) -> bool:
    """Whether the gradients of a model's training works are kept here (whole or in part)."""
    return (place(home, model_id) / "gradients.npy").is_file()


def save_measured(measured: Measured, home: Path) -> Path:
    """Keep how far a model's influence can be trusted, whole or not at all."""
    path = place(home, measured.model_id) / "reliability.json"
    write_whole(path, _bytes(asdict(measured)))
    return path


def measured_of(home: Path, model_id: str) -> Measured | None:
    """What was measured on this very model, None where nobody did.  Raises `Altered`."""
    path = place(home, model_id) / "reliability.json"
    if not path.exists():
        return None
    try:
        found = msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Measured)
        if found.model_id != model_id:
            raise ValueError
    except (OSError, ValueError, msgspec.MsgspecError):
        raise Altered(
            f"{path} is not as it was written; take it away, and musai audit influence makes it anew"
        ) from None
    return found


def _bytes(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, sort_keys=True) + "\n").encode()
