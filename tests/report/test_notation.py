import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings

from musai.music import Metre, Phrase
from musai.report.compare import compare
from musai.report.differences import rows
from musai.report.notation import MAX_BARS, notate
from musai.report.staves import staves
from tests.report.fixtures import PAIRS, QUOTE, TUNE
from tests.strategies import phrases

MEI = "{http://www.music-encoding.org/ns/mei}"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


def both(phrase, work=None, pairs=None):
    work = phrase if work is None else work
    return compare(phrase, work, pairs or [(i, i) for i in range(len(phrase))])


def parsed(phrase=QUOTE, work=TUNE, pairs=PAIRS):
    notation = notate(compare(phrase, work, pairs), phrase.metre)
    assert notation.reason == ""
    return notation, ET.fromstring(notation.mei)


def notes(root, staff):
    """(id, type, pitch, duration) of every note of a staff."""
    return [
        (n.get(XML_ID), n.get("type"), f"{n.get('pname')}{n.get('oct')}", n.get("dur"))
        for s in root.iter(f"{MEI}staff")
        if s.get("n") == staff
        for n in s.iter(f"{MEI}note")
    ]


def verses(root, staff, line):
    return [
        v.find(f"{MEI}syl").text
        for s in root.iter(f"{MEI}staff")
        if s.get("n") == staff
        for v in s.iter(f"{MEI}verse")
        if v.get("n") == line
    ]


MOTIF = Phrase.from_notes([0, 1, 2], [1, 1, 2], [60, 63, 67], metre=Metre.of(key=(-3, True)))

GOLDEN = (
    '<scoreDef meter.count="4" meter.unit="4" key.sig="3f">'
    '<staffGrp symbol="bracket" bar.thru="true">'
    '<staffDef n="1" lines="5" clef.shape="G" clef.line="2"><label>phrase</label></staffDef>'
    '<staffDef n="2" lines="5" clef.shape="G" clef.line="2"><label>work</label></staffDef>'
    "</staffGrp></scoreDef>"
    '<section><measure n="1" right="end"><staff n="1"><layer n="1">'
    '<note xml:id="mp0" type="equal" pname="c" oct="4" accid.ges="n" dur="4">'
    '<verse n="1"><syl>1</syl></verse></note>'
    '<note xml:id="mp1" type="equal" pname="e" oct="4" accid.ges="f" dur="4">'
    '<verse n="1"><syl>3</syl></verse></note>'
    '<note xml:id="mp2" type="changed" pname="g" oct="4" accid.ges="n" dur="2">'
    '<verse n="1"><syl>5</syl></verse><verse n="2"><syl>≠</syl></verse></note>'
    '</layer></staff><staff n="2"><layer n="1">'
    '<note xml:id="mw0" type="equal" pname="c" oct="4" accid.ges="n" dur="4">'
    '<verse n="1"><syl>1</syl></verse></note>'
    '<note xml:id="mw1" type="equal" pname="e" oct="4" accid.ges="f" dur="4">'
    '<verse n="1"><syl>3</syl></verse></note>'
    '<note xml:id="mw2" type="changed" pname="f" oct="4" accid="s" dur="2">'
    '<verse n="1"><syl>♯4</syl></verse><verse n="2"><syl>≠</syl></verse></note>'
    "</layer></staff>"
    '<dir staff="1" place="above" startid="#mp0">1</dir>'
    '<dir staff="2" place="above" startid="#mw0">1</dir>'
    "</measure></section>"
)


def test_a_small_motif_makes_this_mei():
    work = Phrase.from_notes([0, 1, 2], [1, 1, 2], [60, 63, 66], metre=Metre.of(key=(-3, True)))
    mei = notate(both(MOTIF, work), MOTIF.metre).mei
    assert mei[mei.index("<scoreDef") : mei.index("</score>")] == GOLDEN


def test_both_sides_stand_in_one_key_bar_under_bar():
    notation, root = parsed()
    assert (notation.whose, notation.bars, notation.cut) == ("phrase", 4, 0)
    assert root.find(f".//{MEI}scoreDef").get("key.sig") == "3f"
    ours, theirs = notes(root, "1"), notes(root, "2")
    assert [n[2] for n in ours][:4] == [n[2] for n in theirs][:4] == ["e4", "f4", "g4", "a4"]
    assert len(root.findall(f".//{MEI}measure")) == 4


def test_each_likeness_is_marked_on_its_note():
    _, root = parsed()
    assert [n[1] for n in notes(root, "1")] == ["equal"] * 4 + ["changed"] + ["equal"] * 3
    assert [n[1] for n in notes(root, "2")] == [
        *["equal"] * 4,
        "changed",
        *["equal", "missing", "equal", "equal"],
    ]
    turned = notate(compare(TUNE, QUOTE, [(j, i) for i, j in PAIRS]), TUNE.metre)
    assert 'type="added"' in turned.mei
    assert "<syl>+</syl>" in turned.mei
    assert verses(root, "2", "2") == ["≠", "\u2212"]


def test_degrees_stand_under_every_note_in_its_sides_own_key():
    _, root = parsed()
    assert verses(root, "1", "1") == ["1", "2", "3", "4", "♭6", "1", "6", "5"]
    assert verses(root, "2", "1") == ["1", "2", "3", "4", "5", "1", "7", "6", "5"]


def test_a_phrase_of_another_tempo_is_written_in_the_works_bars():
    slow = Phrase.from_notes(
        TUNE.notes["onset"] * 1.25 / 480, TUNE.notes["duration"] * 1.25 / 480, TUNE.notes["pitch"]
    )
    notation = notate(both(slow, TUNE), slow.metre)
    assert (notation.whose, notation.reason) == ("work", "")
    root = ET.fromstring(notation.mei)
    assert [n[3] for n in notes(root, "1")] == [n[3] for n in notes(root, "2")]
    assert not list(root.iter(f"{MEI}rest"))
    assert [d.text for d in root.iter(f"{MEI}dir") if d.get("staff") == "1"] == list("1234")


def test_a_long_passage_is_cut_and_says_so():
    long = Phrase.from_notes(range(80), 1, [60 + k % 12 for k in range(80)])
    comparison = both(long)
    notation = notate(comparison, long.metre)
    assert (notation.bars, notation.cut) == (MAX_BARS, 20 - MAX_BARS)
    drawn = staves(comparison, long.metre, title="t", ident="x")
    assert "The first 16 bars; 4 bars more are not drawn." in drawn.caption


def test_chords_and_a_single_note_can_be_written():
    chord = Phrase.from_notes([0, 0, 0], 1, [60, 64, 67], metre=Metre.of(key=(0, False)))
    mei = notate(both(chord), chord.metre).mei
    assert mei.count("<chord") == 2
    assert "<syl>5 3 1</syl>" in mei
    one = Phrase.from_notes([0], [1], [60])
    assert notate(both(one), one.metre).mei.count("<note") == 2


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        (Phrase.from_notes([k / 16 for k in range(64)], 1 / 16, [60, 62] * 32), "32nd"),
        (Phrase.from_notes([k / 8 for k in range(64)], 1 / 8, [60, 62] * 32), None),
        (
            Phrase.from_notes([k // 16 for k in range(64)], 1, [40 + k % 16 for k in range(64)]),
            "64",
        ),
        (Phrase.from_notes([0, 1, 2], 1, [0, 64, 127]), "0 to 127"),
        (Phrase.from_notes([0], 1, [60], metre=Metre.of(signature=(1, 64))), "1/64"),
    ],
)
def test_what_cannot_be_written_is_told_in_a_line(phrase, reason):
    drawn = staves(both(phrase), phrase.metre, title="t", ident="x")
    if reason is None:
        assert drawn.picture
        return
    assert drawn.picture == ""
    assert drawn.caption.startswith("Not written in staff notation: ")
    assert reason in drawn.caption
    assert "\n" not in drawn.caption


def test_a_comparison_recorded_without_keys_keeps_its_piano_roll():
    import msgspec

    old = msgspec.structs.replace(compare(QUOTE, TUNE, PAIRS), phrase_key=None, work_key=None)
    assert "recorded without keys" in staves(old, QUOTE.metre, title="t", ident="x").caption
    assert [row.phrase.degrees for row in rows(old)] == ["\u2013"] * len(rows(old))


def test_notes_shorter_than_a_32nd_are_grace_notes():
    graced = Phrase.from_notes([0, 0.95, 1, 2, 3], [0.9, 0.05, 1, 1, 1], [60, 65, 64, 62, 60])
    notation = notate(both(graced), graced.metre)
    assert notation.reason == ""
    assert notation.mei.count('grace="unacc"') == 2


@settings(max_examples=15)
@given(phrases())
def test_any_passage_is_written_or_told_why_not(phrase):
    if len(phrase) == 0:
        return
    drawn = staves(both(phrase), phrase.metre, title="t", ident="x")
    assert bool(drawn.picture) != drawn.caption.startswith("Not written")
    if drawn.picture:
        ET.fromstring(drawn.picture)


def test_the_drawing_holds_nothing_that_a_page_must_not():
    picture = staves(compare(QUOTE, TUNE, PAIRS), QUOTE.metre, title="<b>", ident="here").picture
    root = ET.fromstring(picture)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert ids
    assert all(i.startswith("here-") for i in ids)
    assert {e.get("href")[1:] for e in root.iter() if e.get("href")} <= set(ids)
    assert not any(e.get("style") or e.tag in ("style", "script", "image") for e in root.iter())
    marks = [e.tag for e in root.iter() if e.get("class") == "mark"]
    assert sorted(marks) == ["circle", "circle", "rect"]


SAME = """
from musai.report import render_html
from tests.report.fixtures import full_report
import hashlib
print(hashlib.sha256(render_html(full_report()).encode()).hexdigest())
"""


def test_two_processes_write_the_same_bytes():
    digests = {
        subprocess.run(
            [sys.executable, "-c", SAME], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_any_thread_draws_the_same_picture():
    comparison = compare(QUOTE, TUNE, PAIRS)

    def drawn(_: int) -> str:
        return staves(comparison, QUOTE.metre, title="t", ident="s").picture

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        pictures = {pool.submit(drawn, 0).result() for pool in (one, other)}
    assert len(pictures) == 1
    assert pictures != {""}


def test_importing_the_report_does_not_load_verovio():
    code = "import sys, musai.report, musai.cli; print('verovio' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
