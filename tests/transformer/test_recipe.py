"""A recipe at fault is refused by value, before anything is trained."""

from pathlib import Path

import pytest

from musai.errors import BadInput
from musai.transformer.recipe import Recipe

GOOD = 'name = "x"\ncorpus = "y"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("held_out = 5", "held_out is 5; legal is 0 to 0.9"),
        ("held_out = -1", "held_out is -1"),
        ("held_out = nan", "held_out is nan"),
        ('held_out = "x"', "held_out is 'x'; legal is a number"),
        ("given = 7", "given is 7; legal is 0 to 1"),
        ("works = -3", "works is -3"),
        ("works = true", "works is True; legal is a whole number"),
        ("corpus_ = 3", "has 'corpus_'; legal is corpus, "),
        ("[weights]\nbach = -1", "weight of bach is -1"),
        ('[weights]\nbach = "much"', "legal is a table of numbers"),
        ("[groups]\nbach = 1", "legal is a table of texts"),
        ("[schedule]\nrate = nan", "schedule: rate is nan"),
        ("[schedule]\nrate = -1", "rate is -1"),
        ("[schedule]\nclip = -1", "clip is -1"),
        ("[schedule]\nwarmup = -4", "warmup is -4"),
        ("[schedule]\nsteps = 2.5", "steps is 2.5; legal is a whole number"),
        ("schedule = 3", "schedule is 3; legal is a table"),
        ('[shape]\nwidth = "wide"', "shape: width is 'wide'; legal is a whole number"),
        ("[shape]\nheads = 3", "heads is 3; legal is a number whose double divides the width"),
        ("[shape]\nheads = 0", "heads is 0; legal is 1 to 256"),
        ("name =", "cannot be read"),
    ],
)
def test_a_value_at_fault_is_named_with_what_is_legal(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text((GOOD if not text.startswith("name") else "") + text, encoding="utf-8")
    with pytest.raises(BadInput) as told:
        Recipe.read(path)
    assert says in str(told.value)


def test_the_shipped_recipes_can_be_read() -> None:
    folders = sorted((Path(__file__).parents[2] / "models").iterdir())
    assert [Recipe.read(folder / "recipe.toml").name for folder in folders] == [
        f.name for f in folders
    ]
