import xml.etree.ElementTree as ET

from musai.music import Phrase
from musai.report import plots, render_html
from musai.report.compare import compare
from musai.report.differences import rows
from musai.report.records import Common, Spread
from tests.report.fixtures import PAIRS, QUOTE, TUNE, full_report


def test_equal_notes_make_one_row_and_each_difference_its_own():
    found = rows(compare(QUOTE, TUNE, PAIRS))
    assert [(row.likeness, row.notes) for row in found] == [
        ("equal", 4),
        ("changed", 1),
        ("equal", 1),
        ("missing", 1),
        ("equal", 2),
    ]


def test_a_row_has_both_sides_bars_beats_pitches_and_degrees():
    first, changed, _, missing, _ = rows(compare(QUOTE, TUNE, PAIRS))
    assert first.phrase.place == "bar 1, beat 1 to bar 2, beat 1"
    assert first.work.place == "bar 1, beat 1 to bar 1, beat 3"
    assert (first.phrase.pitches, first.work.pitches) == ("E♭4 F4 G4 A♭4", "C4 D4 E4 F4")
    assert first.phrase.degrees == first.work.degrees == "1 2 3 4"
    assert (changed.phrase.pitches, changed.phrase.degrees) == ("C♭5", "♭6")
    assert (changed.work.pitches, changed.work.degrees) == ("G4", "5")
    assert (missing.phrase.place, missing.work.degrees) == ("\u2013", "7")


def test_an_added_note_stands_on_the_phrases_side_alone():
    found = rows(compare(TUNE, QUOTE, [(j, i) for i, j in PAIRS]))
    (added,) = [row for row in found if row.likeness == "added"]
    assert (added.work.place, added.phrase.place) == ("\u2013", "bar 2, beat 2")


def test_a_note_that_comes_late_says_by_how_much():
    plain = Phrase.from_notes(range(8), 1, [60, 62, 64, 65, 67, 69, 71, 72])
    onsets = [0, 1, 2, 3.5, 4, 5, 6, 7]
    late = Phrase.from_notes(onsets, 0.5, [60, 62, 64, 65, 67, 69, 71, 72])
    found = rows(compare(late, plain, [(i, i) for i in range(8)]))
    assert [(row.notes, row.rhythm) for row in found] == [(3, ""), (1, "½ quarter later"), (4, "")]


def test_the_table_is_on_the_page():
    page = render_html(full_report())
    assert "missing: in the work alone" in page
    assert "bar 1, beat 1 to bar 2, beat 1" in page


def test_plots_keep_within_their_frame():
    spread = Spread(notes=9, quantiles=tuple(float(k) for k in range(21)))
    pictures = [
        *(plots.scale_svg(p, size) for p in (1.0, 0.01, 1e-9) for size in (0, 1, 300, 10_000)),
        *(plots.spread_svg(spread, score) for score in (-5.0, 0.0, 12.0, 900.0)),
        plots.spread_svg(Spread(notes=1, quantiles=(3.0, 3.0)), 3.0),
        *(plots.common_svg(Common(works=n, authors=n)) for n in (1, 24, 5000)),
        plots.bar_svg(0.3, "p"),
    ]
    for picture in pictures:
        root = ET.fromstring(picture)
        width = float(root.get("viewBox").split()[2])
        for element in root.iter():
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(element.get(name, 0)) <= width
        assert root.find("title").text
