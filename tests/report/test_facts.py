"""The three sentences, what is common, and the style: from a matcher's answer or stored values."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from musai.match.hits import Chance, Common
from musai.report import render_html
from musai.report.build import build_report
from musai.report.facts import sentences, style_of
from musai.service.matching import plain
from tests.report.fixtures import QUOTE, WORK, Evidence, Hit, full_report, verdict


@dataclass(frozen=True)
class Group:
    name: str
    kind: str
    works: int
    p_value: float | None
    reason: str = ""


@dataclass(frozen=True)
class Nearest:
    name: str
    probability: float


@dataclass(frozen=True)
class Overlap:
    corpus: str = "reels"
    groups: tuple[Group, ...] = (
        Group("Jane Doe", "composer", 30, 0.4),
        Group("<i>few</i>", "collection", 3, None, "3 works; 20 are needed"),
    )
    nearest: tuple[Nearest, ...] = (Nearest("Jane Doe", 0.7),)
    sentence: str = "The phrase is like the reels."
    version: str = "1"


CHANCE = Chance(0.02, 1000, "reels")
COMMON = Common(7, 5, ("A <b>", "B"))


@dataclass(frozen=True)
class Told:
    """A verdict with all that it may say."""

    light: Any = "red"
    sentence: str = "close"
    p_value: float | None = 0.0005
    statistic: float | None = 41.5
    null_size: int = 10_000
    null_version: str = "2"
    longest_run: int = 4
    reason: str = ""
    common_works: int = 7
    common_authors: int = 5
    common_examples: tuple[str, ...] = ("A <b>", "B")
    chance: Chance | None = CHANCE


@dataclass(frozen=True)
class CommonHit(Hit):
    common: Common | None = COMMON


SPREAD = {"notes": 9, "quantiles": tuple(10.0 + k for k in range(21))}


def report(**changes):
    evidence = Evidence(
        verdict=Told(), hits=[CommonHit()], works={WORK.id: WORK}, spread=SPREAD, style=Overlap()
    )
    return full_report(evidence=replace(evidence, **changes))


def test_chance_style_and_common_stock_are_said_in_numbers():
    chance, style, common = report().verdict.sentences
    assert chance.text == (
        "Of 1,000 melodies made by chance, note after note, in the manner of reels, about 20 come "
        "as close to a work of this corpus (counted over 1,000)."
    )
    assert "about 0.5 come as close" in style.text
    assert common.text.startswith("7 works by 5 authors hold the passage")
    assert all(s.computed for s in (chance, style, common))


def test_chance_that_never_came_as_close_says_none():
    told = sentences(replace(Told(), chance=Chance(1 / 1001, 1000, "")))[0]
    assert (
        told.text
        == "None of 1,000 melodies made by chance comes as close to a work of this corpus."
    )


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (None, "the phrase was not compared"),
        (verdict(), "recorded before phrases were held against chance"),
        (replace(Told(), chance=None), "no melodies made by chance"),
        (replace(Told(), chance=None, p_value=None, reason="it has 3 notes"), "it has 3 notes"),
    ],
)
def test_a_sentence_that_was_not_computed_says_why(verdict, why):
    said = sentences(verdict)[0]
    assert not said.computed
    assert said.text.startswith("Not computed: ")
    assert why in said.text


def test_each_sentence_that_was_computed_has_its_plot():
    page = render_html(report())
    three = page[page.index('aria-labelledby="three"') : page.index('aria-labelledby="style"')]
    assert three.count('<svg class="plot"') == 3
    assert "Scores of unrelated phrases from 10 to 30 bits" in three
    bare = render_html(full_report())
    assert "p\u00a0=\u00a00.0005, on a scale from 1 to" in bare
    assert bare.count('<svg class="plot"') == 1


def test_the_common_stock_of_a_hit_stands_beside_its_owner():
    match = report().matches[0]
    assert (match.common.works, match.common.authors) == (7, 5)
    page = render_html(report())
    assert "held at 90% of its score by 7 works by 5 authors" in page
    assert "A &lt;b&gt; and B" in page
    assert "was not counted" in render_html(full_report())


def test_stored_values_tell_the_same_as_what_they_were_stored_from():
    class Row:
        def __init__(self, values):
            self.__dict__.update(values)

    hits = [Row(plain(CommonHit()))]
    stored = report(verdict=Row(plain(Told())), hits=hits, style=plain(Overlap()))
    assert stored == report()


def test_style_stands_apart_and_is_no_protected_expression():
    page = render_html(report())
    assert "The phrase is like the reels." in page
    assert "Style is not protected expression" in page
    assert "&lt;i&gt;few&lt;/i&gt;" in page
    assert "3 works; 20 are needed" in page
    assert "What it is like in style" not in render_html(full_report())
    assert build_report(QUOTE, when="now").style is None


def test_a_style_of_nothing_is_none():
    assert style_of(None) is None
    assert style_of({"corpus": "x", "groups": [], "nearest": []}).groups == ()
