"""The colours that report and page share: readable in light, dark and on paper."""

import re

import pytest

from musai.report.roll import style_sheet

TEXT_ON_GROUND = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "sunk"),
    ("soft", "paper"),
    ("soft", "card"),
    ("on-human", "human"),
    ("on-musai", "musai"),
    ("on-work", "work"),
    *((light, f"{light}-wash") for light in ("grey", "green", "amber", "red")),
    *(("ink", f"{light}-wash") for light in ("grey", "green", "amber", "red")),
    *(("ink", f"{who}-wash") for who in ("human", "musai", "work")),
]

SHAPE_ON_GROUND = [("human", "card"), ("musai", "card"), ("work", "card"), ("focus", "paper")]


def themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", style_sheet("tokens"), re.DOTALL)
    light, dark, paper = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks
    )
    return {"light": light, "dark": light | dark, "paper": light | paper}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """After WCAG 2: 1 for equal colours, 21 for black on white."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark", "paper"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_can_be_read(theme, text, ground):
    colours = themes()[theme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark", "paper"])
@pytest.mark.parametrize(("shape", "ground"), SHAPE_ON_GROUND)
def test_shapes_stand_out(theme, shape, ground):
    colours = themes()[theme]
    assert contrast(colours[shape], colours[ground]) >= 3


def test_every_theme_sets_the_same_colours():
    light, dark, paper = themes().values()
    assert set(light) == set(dark) == set(paper)
