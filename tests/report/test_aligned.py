import re
import xml.etree.ElementTree as ET

from musai.report.aligned import aligned_svg, in_words
from musai.report.compare import compare
from tests.report.fixtures import PAIRS, QUOTE, TUNE


def picture(pairs=PAIRS, phrase=QUOTE, work=TUNE):
    return aligned_svg(
        compare(phrase, work, pairs), phrase.metre, titles=("This <phrase>", "A & B"), ident="m"
    )


def by_class(root, wanted):
    return [e for e in root.iter() if wanted in (e.get("class") or "").split()]


def test_pairs_stand_under_one_another_and_are_linked():
    root = ET.fromstring(picture())
    ours, theirs = (
        [float(n.get("x")) for n in by_class(side, "note") if "other" not in n.get("class")]
        for side in (by_class(root, "musai")[-1], by_class(root, "work")[-1])
    )
    assert len(ours) == 8
    assert set(ours) <= set(theirs)
    links = [e for e in by_class(root, "link") if "faint" not in e.get("class")]
    assert len(links) == 8
    assert all(e.get("x1") == e.get("x2") for e in links)
    assert len([e for e in links if "run" in e.get("class")]) == 4


def test_likeness_is_told_by_shape():
    root = ET.fromstring(picture())
    changed = [e for e in by_class(root, "note") if "changed" in e.get("class")]
    assert len(changed) == 2
    assert {e.get("fill") for e in by_class(root, "over")} == {"url(#m-a-hatch)", "url(#m-b-hatch)"}
    assert len(by_class(root, "missing")) == 1
    assert "4 notes in a row" in [e.text for e in root.iter("text")]


def test_titles_are_escaped_and_styles_are_classes():
    text = picture()
    assert "This &lt;phrase&gt;" in text
    assert "A &amp; B" in text
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=|href=", text)


def test_the_picture_is_said_in_words():
    assert in_words(compare(QUOTE, TUNE, PAIRS)) == (
        "7 notes equal, 1 changed, 1 in the work alone, 0 in the phrase alone; "
        "the work is brought 3 semitones up to the phrase's key."
    )
