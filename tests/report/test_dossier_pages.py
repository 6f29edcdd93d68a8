"""The report on many phrases as a page and as a PDF."""

import re
from html.parser import HTMLParser

import pytest

from musai.report.assemble import Case
from musai.report.dossier_html import dossier_policy, render_dossier
from musai.report.drawn import drawn
from musai.report.flat import flat_style, print_tokens, standalone
from musai.report.lights import light_svg
from musai.report.pdf import render_pdf, unshown_words
from tests.report.dossiers import dossier, entry, hit

EVIL = '<script>alert(1)</script> & "quoted" #set page(width: 1pt) $x$ \\'


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def evil() -> object:
    made = [Case(entry(1, 0.0001, "red", name=EVIL), (hit(EVIL),), 10_000)]
    return dossier(made, title=EVIL, left_out=((EVIL, EVIL),))


def test_the_first_page_says_what_was_compared_and_how_it_came_out() -> None:
    page = render_dossier(dossier())
    assert "1 of 3 phrases has a significant match" in page
    assert "one in 20 is expected to be chance" in page
    assert "10,000 phrases" in page
    assert "musai ledger verify" in page
    assert "Änne" in page
    for name in ("Fantasie für Änne", "荒城の月", "يا ليل الصب"):
        assert f'<span dir="auto">{name}</span>' in page


def test_nothing_is_loaded_nothing_runs_and_every_value_is_escaped() -> None:
    page = render_dossier(evil())  # type: ignore[arg-type]
    tags = parsed(page)
    assert "script" not in tags.tags
    assert EVIL not in page
    assert all(link.startswith("#") for link in tags.links)
    assert len(tags.ids) == len(set(tags.ids))
    assert {link[1:] for link in tags.links} <= set(tags.ids)
    assert "url(http" not in page
    assert "'unsafe" not in dossier_policy()


def test_the_same_dossier_makes_the_same_page() -> None:
    assert render_dossier(dossier()) == render_dossier(dossier())


def test_no_word_of_it_judges() -> None:
    text = re.sub(r"<[^>]+>", " ", render_dossier(dossier())).lower()
    assert not re.search(r"infring|plagiar|guilt|stolen|illegal", text)


def test_pictures_stop_where_the_page_would_weigh_too_much() -> None:
    made = [
        Case(entry(n, 0.0001, "red", name=f"{n}"), (hit(f"Work {n}"),), 10_000) for n in range(1, 9)
    ]
    told = dossier(made)
    one = drawn(told)[0].weight
    some = drawn(told, budget=3 * one + one // 2)
    assert [each.finding.number for each in some] == [1, 2, 3]
    page = render_dossier(told, some)
    assert page.count('<figure id="match-') == 3
    assert "The 3 strongest matches are drawn. 5 more stand in the JSON and the CSV." in page


def test_fifty_matches_stay_under_five_megabytes() -> None:
    made = [
        Case(entry(n, 0.0001, "red", name=f"{n}"), (hit(f"Work {n}"),), 10_000)
        for n in range(1, 51)
    ]
    told = dossier(made)
    assert sum(one.match.comparison is not None for one in told.findings) == 50
    assert len(render_dossier(told).encode()) < 5_000_000


def test_the_style_of_pictures_for_the_pdf_has_no_variable_left() -> None:
    style = flat_style()
    assert "var(" not in style
    assert "--" not in style
    assert ".roll .human .note { fill: #1f5f9f; stroke: #1f5f9f;" in style
    assert f"fill: {print_tokens()['--red']}" in style
    picture = standalone(light_svg("red"), 64, 64)
    assert picture.startswith("<svg")
    assert 'xmlns="http://www.w3.org/2000/svg"' in picture


def test_the_pdf_has_pages_bookmarks_and_the_same_bytes_each_time() -> None:
    pages = render_pdf(dossier(), system_fonts=False)
    assert pages.startswith(b"%PDF-1.7")
    assert b"/Outlines" in pages
    assert pages == render_pdf(dossier(), system_fonts=False)


def test_a_pdf_whose_titles_have_fonts_is_an_archival_one() -> None:
    made = [Case(entry(1, 0.0001, "red", name="Lied für Änne"), (hit(),), 10_000)]
    assert b"pdfaid" in render_pdf(dossier(made), system_fonts=False)


def test_double_accidentals_need_no_rare_font() -> None:
    made = [Case(entry(1, 0.0001, "red", name="F\U0001d12a and B\U0001d12b"), (hit(),), 10_000)]
    assert b"pdfaid" in render_pdf(dossier(made), system_fonts=False)


def test_titles_without_a_font_are_named_on_the_first_page_and_do_not_stop_it() -> None:
    import json

    from musai.report import pdf

    seen: list[str] = []
    told = dossier()
    real = pdf.view

    def spy(*arguments: object) -> dict:
        values = real(*arguments)  # type: ignore[arg-type]
        seen.append(values["unshown"])
        return values

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "view", spy)
        pages = render_pdf(told, system_fonts=False)
    assert pages.startswith(b"%PDF")
    assert b"pdfaid" not in pages
    assert seen[0] == ""
    assert "This machine has no font for" in seen[1]
    assert json.dumps(seen[1])


def test_what_cannot_be_shown_is_told_by_its_code() -> None:
    words = unshown_words(["城", "月"])
    assert "城 月 (U+57CE, U+6708)" in words
    assert "20 characters" in unshown_words([chr(0x4E00 + n) for n in range(20)])


def test_text_never_becomes_markup_of_the_pdf() -> None:
    assert render_pdf(evil(), system_fonts=False).startswith(b"%PDF")  # type: ignore[arg-type]
