"""`musai evidence` through its command line, on phrases that `musai generate` made."""

import json
from pathlib import Path

from musai.ledger import Ledger
from musai.music import Phrase
from tests.cli.conftest import Run, home, run

__all__ = ["home", "run"]


def made(run: Run, *options: object) -> dict[str, str]:
    """A phrase as `musai generate` tells of it."""
    result = run("generate", "--bars", 2, "--seed", 7, "--no-match", "--json", *options)
    values: dict[str, str] = json.loads(result.output)
    return values


def test_make_and_verify_from_the_command_line(run: Run, home: Path) -> None:
    phrase = made(run)["phrase_id"]
    result = run("evidence", "make", phrase[:8], "--out", "e", "--tag", "t.mid")
    assert result.exit_code == 0, result.output
    assert phrase[:8] in result.output
    told = run("evidence", "verify", "e", "--midi", "t.mid")
    assert told.exit_code == 0, told.output
    assert told.output.startswith("e: EXACT: ")
    assert "no time-stamp token" in told.output
    values = json.loads(run("evidence", "verify", "e", "--json").output)
    assert (values[0]["verdict"], values[0]["phrase_id"]) == ("EXACT", phrase)
    assert Phrase.from_midi(Path("t.mid")).id == phrase
    (Path("e") / "phrase.mid").unlink()
    gone = run("evidence", "verify", "e")
    assert gone.exit_code == 3
    assert "WITHDRAWN: phrase.mid erased; the rest holds" in gone.output
    (Path("e") / "choices.json").write_bytes(b"[]")
    bad = run("evidence", "verify", "e")
    assert bad.exit_code == 1
    assert "choices.json was altered" in bad.output
    with Ledger.open(home / "ledger" / "ledger.sqlite") as ledger:
        assert ledger.last(1)[0].kind == "evidence"


def test_what_cannot_be_signed_says_why_and_writes_nothing(run: Run) -> None:
    assert run("evidence", "make", "0" * 8).exit_code == 3
    assert run("evidence", "make").exit_code == 2
    assert run("evidence", "verify", "nowhere").exit_code == 3
    made(run)
    result = run("evidence", "make", "--session", "cli")
    assert result.exit_code == 2
    assert "has no kept take" in result.output
    assert [path.name for path in Path().iterdir() if path.is_dir()] == ["home"]


def test_keys_are_listed_and_rotated(run: Run) -> None:
    first = json.loads(run("evidence", "keys", "--json").output)
    both = json.loads(run("evidence", "keys", "--rotate", "--json").output)
    assert [row["signs"] for row in both] == [True, False]
    assert both[1]["key_id"] == first[0]["key_id"]
    assert "signed before" in run("evidence", "keys").output
