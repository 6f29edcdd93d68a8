"""What a described service says of its overlap light."""

from typing import Any


def settling(described: dict[str, Any]) -> bool:
    """Whether a grey light is on its way to being lit."""
    states = {corpus["state"] for corpus in described["corpora"]}
    building = described["workers"]["build"]["state"] in ("starting", "ready")
    return not described["light"]["ready"] and (building or bool(states & {"opening", "building"}))
