"""`musai style` from the outside."""

import json

import pytest
from click.testing import CliRunner

from musai.cli import main
from musai.corpus import Corpus
from musai.folders import home
from tests.style.shelf import WALKER, tune


@pytest.fixture(scope="module")
def phrase(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walks")
    rows = ["path,composer,licence"]
    for k in range(20):
        (folder / f"{k}.mid").write_bytes(tune(WALKER, k).to_midi())
        rows.append(f"{k}.mid,{WALKER},CC0-1.0")
    (folder / "manifest.csv").write_text("\n".join(rows))
    Corpus.build(folder, home() / "corpora" / "walks", name="walks")
    path = folder / "new.mid"
    path.write_bytes(tune(WALKER, 99).to_midi())
    return path


def test_percentiles_are_printed_with_their_number_of_works(phrase):
    said = CliRunner().invoke(main, ["style", str(phrase), "--corpus", "walks"])
    assert said.exit_code == 0
    assert "not protected expression" in said.output
    assert f"{WALKER} (composer; 20 works, passages of about 8 bars)" in said.output


def test_json_is_one_value(phrase):
    said = CliRunner().invoke(main, ["style", str(phrase), "--corpus", "walks", "--json"])
    found = json.loads(said.stdout)
    assert set(found) == {"corpus", "groups", "nearest", "sentence", "version"}
    assert found["groups"][0]["works"] == 20


def test_a_corpus_that_is_not_there_is_exit_code_3(phrase):
    assert CliRunner().invoke(main, ["style", str(phrase), "--corpus", "nowhere"]).exit_code == 3
