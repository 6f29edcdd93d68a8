import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from musai.music import Phrase, Voice
from musai.report import build_report, from_plain, render_html, to_plain
from musai.report.wording import LIGHTS
from tests.report.fixtures import Evidence, full_report, verdict


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {}
        self._in: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._in.append(tag)

    def handle_endtag(self, tag):
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data):
        if self._in and self._in[-1] == "style":
            self.raw["style"] = self.raw.get("style", "") + data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_needs_nothing_from_outside():
    page = Page(render_html(full_report()))
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "img", "base", "form")
        for name, value in attributes.items():
            assert name not in ("style", "src", "srcset", "action"), (tag, name)
            assert not name.startswith("on")
            if name == "href":
                assert value.startswith("#")
    assert "url(" not in page.raw["style"]
    assert "@import" not in page.raw["style"]


def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else():
    page = Page(render_html(full_report()))
    policy = next(
        a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(page.raw["style"].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_what_others_wrote_is_shown_and_never_run():
    evil = '"><script>alert(1)</script>\x00'
    phrase = Phrase.from_notes([0, 1], 1, [60, 62], names=(Voice(evil),))
    plain = to_plain(full_report())
    plain["title"] = plain["made_at"] = plain["verdict"]["sentence"] = evil
    plain["software"] = {evil: evil}
    plain["corpus"] = {"name": evil, "id": evil, "works": 1}
    plain["replay"] = {"replay_id": evil, "command": evil, "result": evil}
    plain["player"] |= {"name": evil, "model_id": evil}
    plain["subject"]["score"] = to_plain(build_report(phrase, when=""))["subject"]["score"]
    for match in plain["matches"]:
        lists = {"creators": [evil, evil], "holders": [evil]}
        texts = dict.fromkeys(("title", "source", "collection", "licence", "attribution"), evil)
        match["work"] |= lists | texts
        match["work"]["terms"] = [
            {"use": "train", "status": evil, "reason": evil, "conditions": evil}
        ]
    text = render_html(from_plain(plain))
    assert "<script" not in text
    assert "\x00" not in text
    assert Page(text).text.count("<script>alert(1)</script>") > 30


@pytest.mark.parametrize("light", list(LIGHTS))
def test_the_light_is_shape_word_and_number(light):
    evidence = Evidence(verdict=verdict(light=light), hits=[], works={})
    page = Page(render_html(full_report(evidence=evidence)))
    shapes = [a for t, a in page.tags if t == "svg" and "light" in a.get("class", "").split()]
    assert [a["aria-label"] for a in shapes] == [f"{light}: {LIGHTS[light].word}"]
    assert LIGHTS[light].word in page.text
    assert "p\u00a0=\u00a00.0005" in " ".join(page.words)
    assert "No work shares a passage" in page.text


def test_the_front_page_names_owner_licence_and_attribution():
    text = Page(render_html(full_report())).text
    for expected in (
        "The Test Reel",
        "Jane Doe and José Ñandú",
        "The Estate of Jane Doe",
        "CC-BY-4.0",
        "The Test Reel by Jane Doe, CC BY 4.0",
        "reels , 2 works",
        "20 November 2026, 14:03 UTC",
        "musai replay 999999999999",
        "share of revenue",
    ):
        assert expected in text, expected


def test_numbers_stand_in_a_table_with_headed_columns():
    page = Page(render_html(full_report()))
    for header in ("Score", "Longest run", "Transposed", "Tempo ratio", "Of the work"):
        assert header in page.words
    for value in ("41.5", "0.0004", "0.31", "0.02", "64%", "+3", "2.00"):
        assert value in page.words


def test_an_unrated_phrase_makes_a_page_too():
    empty = Phrase.from_notes([], [], [], length=8)
    text = Page(render_html(build_report(empty, when="now"))).text
    assert "Not rated" in text
    assert "No notes in 2 bars" in text


def test_ids_on_the_page_are_unique():
    page = Page(render_html(full_report()))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_no_word_belongs_to_a_court():
    text = Page(render_html(full_report())).text.lower()
    assert not re.search("infring|plagiar|stolen|steal", text)
