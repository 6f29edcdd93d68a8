"""MusicXML and MXL: what is read, and what is refused before a parser sees it."""

import importlib.util
import io
import zipfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.corpus import xmlguard
from musai.corpus.scores import read_score
from musai.errors import BadInput, BadScore
from musai.music import Phrase
from tests.corpus.makers import attributes, mxl, note, score

BAR = note("C", 4) + note("D", 4)


def triples(phrase: Phrase) -> list[tuple[int, int, int]]:
    """(onset, duration, pitch) with onsets in eighths."""
    return [
        (int(n["onset"]) // 240, int(n["duration"]) // 240, int(n["pitch"])) for n in phrase.notes
    ]


def test_notes_chords_and_rests_stand_where_they_are_written() -> None:
    measure = (
        attributes()
        + note("C", 2)
        + note("E", 2, more="<chord/>")
        + note("", 2)
        + note("F", 4, alter=1)
    )
    assert triples(read_score(score(("Piano", [measure]))).phrase) == [
        (0, 2, 60),
        (0, 2, 64),
        (4, 4, 66),
    ]


def test_ties_are_joined_over_the_bar_line_and_grace_and_cue_notes_left_out() -> None:
    first = attributes() + note("C", 6) + note("D", 2, more='<tie type="start"/>')
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>"
    cue = note("A", 2, more="<cue/>")
    second = note("D", 2, more='<tie type="stop"/>') + grace + note("E", 4) + cue
    assert (
        triples(read_score(score(("Flute", [first, second]))).phrase)
        == [
            (0, 6, 60),
            (6, 4, 62),
            (10, 4, 64),
            (14, 2, 69),
        ][:3]
    )


def test_a_second_note_of_the_same_pitch_is_not_joined_without_a_tie() -> None:
    measure = attributes() + note("C", 4) + note("C", 4)
    assert len(read_score(score(("Flute", [measure]))).phrase) == 2


def test_a_pickup_measure_fills_the_end_of_bar_one() -> None:
    measures = [attributes() + note("G", 2), note("C", 4) + note("D", 4), note("E", 6)]
    phrase = read_score(score(("Song", measures))).phrase
    assert triples(phrase) == [(6, 2, 67), (8, 4, 60), (12, 4, 62), (16, 6, 64)]
    assert phrase.bars == 3


def test_a_measure_cut_in_two_by_a_repeat_stays_one_bar_and_nothing_is_unfolded() -> None:
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    measures = [attributes() + BAR, note("C", 4) + repeat, note("D", 4), BAR]
    phrase = read_score(score(("Song", measures))).phrase
    assert [onset for onset, _, _ in triples(phrase)] == [0, 4, 8, 12, 16, 20]


def test_parts_become_voices_in_score_order_with_names_and_programs() -> None:
    parts = [
        (name, [attributes() + BAR]) for name in ("Soprano", "Violin I", "Viola", "Violoncello")
    ]
    voices = read_score(score(*parts)).phrase.voices
    assert [(v.name, v.program) for v in voices] == [
        ("Soprano", 52),
        ("Violin I", 40),
        ("Viola", 41),
        ("Violoncello", 42),
    ]


def test_two_singers_on_one_staff_are_two_voices_and_an_aside_is_none() -> None:
    back = "<backup><duration>8</duration></backup>"
    both = (
        attributes()
        + BAR
        + back
        + note("E", 4, octave=3, voice=2)
        + note("F", 4, octave=3, voice=2)
    )
    reading = read_score(score(("Choir", [both])))
    assert [v.name for v in reading.phrase.voices] == ["Choir 1", "Choir 2"]
    measures = [attributes() + BAR] + [BAR] * 5 + [BAR + back + note("E", 8, octave=3, voice=2)]
    assert len(read_score(score(("Choir", measures))).phrase.voices) == 1


def test_the_staves_of_a_piano_are_voices() -> None:
    back = "<backup><duration>8</duration></backup>"
    right = note("C", 8, more="<staff>1</staff>")
    left = note("C", 8, octave=2, voice=5, more="<staff>2</staff>")
    phrase = read_score(score(("Piano", [attributes() + right + back + left]))).phrase
    assert [(v.name, v.program) for v in phrase.voices] == [("Piano 1", 0), ("Piano 2", 0)]


def test_a_transposing_instrument_sounds_as_it_sounds() -> None:
    down = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    phrase = read_score(score(("Clarinet in Bb", [attributes(more=down) + BAR]))).phrase
    assert [int(n["pitch"]) for n in phrase.notes] == [58, 60]
    assert phrase.voices[0].program == 71


def test_drums_without_pitch_are_a_drum_voice() -> None:
    hit = "<note><unpitched><display-step>C</display-step></unpitched><duration>8</duration></note>"
    phrase = read_score(score(("Snare", [attributes() + hit]))).phrase
    assert phrase.voices[0].drum
    assert [int(n["pitch"]) for n in phrase.notes] == [38]


def test_metre_key_and_tempo_are_read_where_they_change() -> None:
    mark = '<direction><sound tempo="72"/></direction>'
    measures = [
        attributes(3, 4, -3, "minor") + mark + note("C", 6),
        attributes(2, 4, 1) + note("C", 4),
    ]
    metre = read_score(score(("Song", measures))).phrase.metre
    assert [(s.tick, s.numerator, s.denominator) for s in metre.signatures] == [
        (0, 3, 4),
        (1440, 2, 4),
    ]
    assert [(k.tick, k.fifths, k.minor) for k in metre.keys] == [(0, -3, True), (1440, 1, False)]
    assert [round(t.bpm) for t in metre.tempos] == [72]


def test_a_tempo_word_counts_where_no_number_stands() -> None:
    word = "<direction><direction-type><words>Adagio molto</words></direction-type></direction>"
    metre = read_score(score(("Song", [attributes() + word + BAR]))).phrase.metre
    assert round(metre.tempos[0].bpm) == 60


def test_headings_are_told_apart() -> None:
    head = (
        "<work><work-title>Air</work-title></work><identification>"
        '<creator type="composer">Ann Other</creator><rights>All rights reserved</rights></identification>'
        "<credit><credit-words>Copyright 2001 A Press</credit-words></credit>"
    )
    reading = read_score(score(("Song", [attributes() + BAR]), head=head))
    assert reading.titles == ("Air",)
    assert reading.creators == ("Ann Other",)
    assert reading.notices == ("All rights reserved", "Copyright 2001 A Press")


def test_a_measure_is_as_long_as_most_parts_say() -> None:
    parts = [("A", [attributes() + BAR, BAR]), ("B", [attributes() + BAR, BAR])]
    long = ("C", [attributes() + BAR + note("E", 1), BAR])
    phrase = read_score(score(*parts, long)).phrase
    assert sorted({onset for onset, _, _ in triples(phrase)}) == [0, 4, 8, 12]


def test_a_rest_for_a_whole_measure_may_be_written_too_long() -> None:
    """Several madrigals write it as a breve; parts must not drift apart for that."""
    silent = [attributes() + BAR, note("", 16), BAR]
    phrase = read_score(score(("A", [attributes() + BAR, BAR, BAR]), ("B", silent))).phrase
    assert [onset for onset, _, _ in triples(phrase)] == [0, 0, 4, 4, 8, 12, 16, 16, 20, 20]
    assert phrase.bars == 3


def test_an_archive_reads_as_the_score_inside() -> None:
    xml = score(("Song", [attributes() + BAR]))
    assert read_score(mxl(xml)).phrase == read_score(xml).phrase


def test_the_usual_document_type_is_dropped_unread() -> None:
    doctype = '<!DOCTYPE score-partwise PUBLIC "-//X//DTD" "http://127.0.0.1:9/none.dtd">'
    assert len(read_score(score(("Song", [attributes() + BAR]), doctype=doctype)).phrase) == 2


@pytest.mark.parametrize(
    ("doctype", "says"),
    [
        ('<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "declares entities"),
        ("<!DOCTYPE a [<!ELEMENT b ANY>]>", "document type of its own"),
        ('<!DOCTYPE a SYSTEM "b"><!DOCTYPE c SYSTEM "d">', "more than one"),
    ],
)
def test_entities_and_own_document_types_are_refused(doctype: str, says: str) -> None:
    with pytest.raises(BadScore, match=says):
        read_score(score(("Song", [attributes() + BAR]), doctype=doctype))


def test_entities_in_another_encoding_are_refused_too() -> None:
    xml = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><score-partwise/>'
    with pytest.raises(BadScore, match="declares entities"):
        read_score(xml.encode("utf-16"))


def test_an_archive_that_unpacks_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlguard, "MAX_XML", 100_000)
    bomb = mxl(b"<score-partwise>" + b" " * 5_000_000 + b"</score-partwise>")
    assert len(bomb) < 20_000
    with pytest.raises(BadScore, match="unpacks to more than 100000"):
        read_score(bomb)


def test_an_archive_of_too_many_members_is_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for i in range(xmlguard.MAX_MEMBERS + 1):
            archive.writestr(f"{i}.xml", "")
    with pytest.raises(BadScore, match="members"):
        read_score(data.getvalue())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not well-formed"),
        (b"PK\x03\x04 no archive", "archive cannot be read"),
        (b"<score-partwise/>", "no notes"),
        (b"<score-timewise/>", "score-timewise"),
        (b"<html><body>404</body></html>", "legal is score-partwise"),
        (score(("S", [attributes() + note("H", 4)])), "legal is A to G"),
        (score(("S", [attributes() + note("C", 4, octave=30)])), "legal is 0 to 127"),
        (score(("S", [attributes(4, 5) + note("C", 4)])), "denominator"),
        (b"<score-partwise>" + b"<a>" * 5000, "not well-formed"),
    ],
)
def test_what_is_no_score_is_refused_by_name(data: bytes, says: str) -> None:
    with pytest.raises(BadScore, match=says):
        read_score(data)


GOOD = score(("Song", [attributes() + BAR + note("E", 2, more='<tie type="start"/>'), BAR]))


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=0, max_size=6), st.integers(0, 30))
def test_a_damaged_score_is_read_or_refused(at: int, put: bytes, drop: int) -> None:
    try:
        phrase = read_score(GOOD[:at] + put + GOOD[at + drop :]).phrase
    except BadInput:
        return
    assert len(phrase) > 0


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_damaged_archive_is_read_or_refused(at: int, put: bytes) -> None:
    whole = mxl(GOOD)
    try:
        phrase = read_score(whole[:at] + put + whole[at + len(put) :]).phrase
    except BadInput:
        return
    assert len(phrase) > 0


def _shipped(*parts: str) -> Path:
    spec = importlib.util.find_spec("music21")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "corpus", *parts)


def test_a_bach_chorale_has_its_four_voices_and_its_pickup() -> None:
    phrase = read_score(_shipped("bach", "bwv66.6.mxl").read_bytes()).phrase
    assert [v.name for v in phrase.voices] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert len(phrase) == 36 + 42 + 44 + 41
    soprano = phrase.notes[phrase.notes["voice"] == 0][:4]
    assert [int(p) for p in soprano["pitch"]] == [73, 71, 69, 71]
    assert [int(t) for t in soprano["onset"]] == [1440, 1680, 1920, 2400]
    assert [(k.fifths, k.minor) for k in phrase.metre.keys] == [(3, True)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "path",
    [
        "bach/bwv269.mxl",
        "bach/bwv227.1.mxl",
        "mozart/k155/movement2.mxl",
        "monteverdi/madrigal.4.10.mxl",
    ],
)
def test_another_reader_finds_the_same_notes(path: str) -> None:
    import partitura

    file = _shipped(*path.split("/"))
    theirs: Counter[tuple[int, int, int]] = Counter()
    for part in partitura.load_musicxml(str(file)).parts:
        quarters = part.quarter_map
        zero = float(quarters(part.first_point.t))
        for one in part.notes_tied:
            if one.duration_tied:
                start, end = (
                    float(quarters(t)) for t in (one.start.t, one.start.t + one.duration_tied)
                )
                theirs[round((start - zero) * 24), round((end - start) * 24), one.midi_pitch] += 1
    from musai.corpus.musicxml import parse, read_parts
    from musai.corpus.tunes import merged

    parts = read_parts(parse(xmlguard.guarded(xmlguard.unpacked(file.read_bytes()))))
    at = [Fraction(0)]
    for bar in merged([part.bars for part in parts]):
        at.append(at[-1] + bar.duration)
    ours = Counter(
        (round((at[n.measure] + n.offset) * 96), round(n.length * 96), n.pitch)
        for p in parts
        for n in p.notes
    )
    assert ours == theirs
