"""`musai match` from the outside."""

import json

import made
import pytest
from click.testing import CliRunner

from musai.cli import main
from musai.cli.match import _shared
from musai.corpus import Corpus
from musai.folders import home
from musai.match.hits import Common


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tunes")
    for k in range(4):
        (folder / f"tune {k}.mid").write_bytes(made.tune(300 + k).to_midi())
    Corpus.build(folder, home() / "corpora" / "four", name="four")
    cut = folder / "cut.mid"
    cut.write_bytes(made.moved(made.tune(302), range(12, 32), up=5).to_midi())
    return cut


def test_the_nearest_work_and_the_verdict_are_printed(tunes):
    said = CliRunner().invoke(main, ["match", str(tunes), "--corpus", "four"])
    assert said.exit_code == 0
    assert "four: grey" in said.output
    assert "No verdict" in said.output
    assert "tune 2" in said.output
    assert "+5" in said.output


def test_the_three_sentences_are_printed_computed_or_not(tunes):
    arguments = ["match", str(tunes), "--corpus", "four"]
    said = CliRunner().invoke(main, arguments).output
    for about in ("chance", "style", "common stock"):
        assert f"  {about}: " in said
    (found,) = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert [s["about"] for s in found["sentences"]] == ["chance", "style", "common stock"]
    assert all(s["text"].startswith("Not computed") != s["computed"] for s in found["sentences"])


@pytest.mark.parametrize(
    ("common", "text"),
    [
        (None, ""),
        (Common(1, 1, ("A",)), "passage in no other work at 90% of its score"),
        (Common(7, 1, ()), "passage in 7 works by 1 author"),
        (Common(7, 5, ("A", "B")), "passage in 7 works by 5 authors: A, B"),
    ],
)
def test_how_common_a_hits_passage_is_takes_a_line(common, text):
    assert _shared(common) == text


def test_json_is_one_value(tunes):
    said = CliRunner().invoke(
        main, ["match", str(tunes), "--corpus", "four", "--json", "--top", "2"]
    )
    (found,) = json.loads(said.stdout)
    assert len(found["hits"]) == 2
    assert found["hits"][0]["transposition"] == 5
    assert found["hits"][0]["longest_run"] == 20
    assert found["verdict"]["light"] == "grey"


def test_a_corpus_that_is_not_there_is_exit_code_3(tunes):
    assert CliRunner().invoke(main, ["match", str(tunes), "--corpus", "nowhere"]).exit_code == 3


def test_a_file_that_is_no_midi_is_exit_code_2(tmp_path):
    path = tmp_path / "x.mid"
    path.write_bytes(b"no music")
    assert CliRunner().invoke(main, ["match", str(path)]).exit_code == 2


def test_a_work_can_be_laid_out_whole(tunes):
    work = next(w.id for w in Corpus.open("four").works if w.title == "tune 2")
    arguments = ["match", str(tunes), "--corpus", "four", "--whole", work[:10]]
    said = CliRunner().invoke(main, arguments)
    assert said.exit_code == 0
    assert "20 pairs of 20 notes and 60 of the work; 20 equal at +5 semitones" in said.output
    told = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert told["pairs"][0] == [0, 12]
    assert CliRunner().invoke(main, [*arguments[:-1], "0" * 10]).exit_code == 3
