"""What `musai model verify` says of each verdict."""

import pytest

from musai.cli.rebuild import _line


@pytest.mark.parametrize(
    ("verdict", "distance", "said"),
    [
        ("EXACT", 0.0, "the first 20 steps: EXACT, the same weights; abc"),
        ("EQUIVALENT", 4.6e-7, "EQUIVALENT, 4.6e-07 of the way that training went apart: rounded"),
        ("OTHER", 0.26, "OTHER weights, 2.6e-01 of the way that training went apart; abc"),
        (None, None, "the first 20 steps give abc; the model's folder records nothing of them"),
    ],
)
def test_the_verdict_is_said_with_the_distance(verdict, distance, said):
    told = {"whole": False, "steps": 20, "sha256": "abc", "changed": [],
            "verdict": verdict, "distance": distance}  # fmt: skip
    assert said in _line(told)
    if verdict:
        assert "(made with torch 1, here 2)" in _line({**told, "changed": ["torch 1, here 2"]})
        whole = _line({**told, "whole": True})
        assert whole.startswith("the whole training: ")
        assert whole.endswith("from another recipe") == (verdict == "OTHER")
