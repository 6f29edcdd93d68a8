"""What was brought into use from the desk is in use again after a new start."""

from pathlib import Path

import pytest

from musai.cli.serve import _in_use
from musai.service.in_use import FILE, keep, kept


def corpus(home: Path, name: str) -> None:
    (home / "corpora" / name).mkdir(parents=True)
    (home / "corpora" / name / "catalogue.jsonl").touch()


def test_a_corpus_is_remembered_once_and_as_long_as_it_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    for name in ("songs", "tunebook"):
        corpus(tmp_path, name)
    for name in ("songs", "gone", "songs", "tunebook"):
        keep(tmp_path, name)
    assert kept(tmp_path) == ("songs", "tunebook")
    assert _in_use() == ("tunebook", "songs")


@pytest.mark.parametrize("text", ["", "{}", "[1, null]", "\\xff", "3"])
def test_a_broken_file_brings_nothing_into_use(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert kept(tmp_path) == ()
