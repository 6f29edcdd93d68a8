"""The table of adherence: what a mask holds is held whole, whatever the weights."""

import pytest

from musai.transformer.adherence import table
from tests.transformer.models import CARDED, SMALL, small_player


@pytest.mark.parametrize("shape", [SMALL, CARDED], ids=["small", "carded"])
def test_what_is_a_mask_is_never_violated_and_every_control_has_a_row(shape):
    rows = list(table(small_player(shape), seeds=2))
    held = {row.control: row.got for row in rows if row.held in ("mask", "count")}
    assert held == dict.fromkeys(
        ("bars", "scale", "chords", "grid", "polyphony", "register", "avoid"), 1.0
    )
    assert {row.control for row in rows} - held.keys() == {
        "scale_rule", "velocity", "swing", "density", "voices",
    }  # fmt: skip
    asked = next(row.asked for row in rows if row.control == "polyphony")
    assert asked == "polyphony 2, chorales"
    asked = [row.asked for row in rows if row.control == "voices"]
    assert asked == ["voices violin,viola,cello, chorales"]  # No style of it has drums.
