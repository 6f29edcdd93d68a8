"""generate, continue, replay: one phrase without a server, recorded, written whole, exit codes."""

import json
import shutil
from pathlib import Path

import pytest

from musai.ledger import Ledger
from musai.music import Phrase
from tests.cli.conftest import Run, write_model
from tests.transformer.models import motif


@pytest.fixture
def source(home: Path) -> Path:
    path = Path("in.mid")
    path.write_bytes(motif().to_midi())
    return path


def test_generate_writes_the_phrase_and_says_how_to_have_it_again(run: Run) -> None:
    result = run("generate", "--bars", 3, "--seed", 7, "--out", "deep/x.mid", "--no-match")
    assert result.exit_code == 0, result.output
    phrase = Phrase.from_midi(Path("deep/x.mid"))
    assert phrase.bars == 3
    first, last = result.output.splitlines()
    assert first.startswith(f"deep/x.mid: 3 bars, {len(phrase)} note")
    assert "seed 7" in first
    assert last.startswith("the same again: musai replay ")


def test_the_same_seed_gives_the_same_file_and_another_seed_another(run: Run) -> None:
    for name, seed in (("a.mid", 7), ("b.mid", 7), ("c.mid", 8)):
        assert run("generate", "--seed", seed, "--out", name, "--no-match").exit_code == 0
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes()
    assert Path("a.mid").read_bytes() != Path("c.mid").read_bytes()


def test_without_a_seed_a_new_one_is_drawn_and_told(run: Run) -> None:
    seeds = [json.loads(run("generate", "--json", "--no-match").output)["seed"] for _ in range(2)]
    assert seeds[0] != seeds[1]


def test_without_a_name_the_file_is_named_after_the_phrase(run: Run) -> None:
    values = json.loads(run("generate", "--json", "--no-match").output)
    assert values["out"] == f"musai-{values['phrase_id'][:8]}.mid"
    assert Phrase.from_midi(Path(values["out"])).id == values["phrase_id"]


def test_json_is_one_value_with_the_match_and_the_model(run: Run) -> None:
    values = json.loads(run("generate", "--seed", 7, "--json").output)
    assert values["model"] == "random"
    assert values["match"]["light"] == "grey"
    assert "tunebook" in values["match"]["sentence"]
    assert len(values["replay_id"]) == 64


def test_wishes_reach_the_request_and_the_ledger(run: Run, home: Path) -> None:
    wishes = {
        "tempo": "90",
        "key": "Bbm",
        "signature": "3/4",
        "density": "6",
        "register": "48-80",
        "temperature": "0.5",
        "top-p": "0.9",
        "collection": "tunes",
    }
    pairs = [part for name, value in wishes.items() for part in (f"--{name}", value)]
    result = run("generate", "--seed", 1, "--no-match", *pairs)
    assert result.exit_code == 0, result.output
    with Ledger.open(home / "ledger" / "ledger.sqlite") as ledger:
        assert ledger.verify().ok
        payload = ledger.last(1, "request", "cli")[0].payload or {}
    asked = payload["request"]
    assert asked["tempo"] == 90
    assert asked["key"] == "Bbm"
    assert asked["signature"] == [3, 4]
    assert asked["density"] == 6
    assert asked["register"] == [48, 80]
    assert (asked["temperature"], asked["top_p"], asked["collection"]) == (0.5, 0.9, "tunes")


@pytest.mark.parametrize(("option", "mode"), [((), "continue"), (("--answer",), "answer")])
def test_continue_goes_on_or_answers(
    run: Run, home: Path, source: Path, option: tuple[str, ...], mode: str
) -> None:
    result = run("continue", source, *option, "--bars", 2, "--out", "y.mid", "--no-match")
    assert result.exit_code == 0, result.output
    assert Phrase.from_midi(Path("y.mid")).bars == 2
    with Ledger.open(home / "ledger" / "ledger.sqlite") as ledger:
        payload = ledger.last(1, "request")[0].payload or {}
    assert payload["request"]["mode"] == mode
    assert bytes.fromhex(payload["request"]["context"]) == source.read_bytes()


class TestReplay:
    @pytest.fixture
    def replay_id(self, run: Run) -> str:
        result = run("generate", "--seed", 7, "--bars", 4, "--json", "--no-match", "--out", "a.mid")
        return str(json.loads(result.output)["replay_id"])

    def test_makes_the_file_again_and_says_identical(self, run: Run, replay_id: str) -> None:
        result = run("replay", replay_id[:8], "--out", "b.mid")
        assert result.exit_code == 0, result.output
        assert result.output.startswith("identical: ")
        assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes()

    def test_json(self, run: Run, replay_id: str) -> None:
        values = json.loads(run("replay", replay_id, "--json").output)
        assert values["identical"] is True
        assert (values["verdict"], values["replay_id"]) == ("identical", replay_id)

    def test_of_an_altered_model_is_refused(self, run: Run, home: Path, replay_id: str) -> None:
        shutil.rmtree(home / "models" / "random")
        write_model(home / "models" / "random", seed=2)
        result = run("replay", replay_id)
        assert result.exit_code == 1
        assert "no longer the one that made this phrase" in result.output

    def test_of_a_model_that_is_gone_names_it(self, run: Run, home: Path, replay_id: str) -> None:
        shutil.rmtree(home / "models" / "random")
        write_model(home / "models" / "other", name="other", seed=2)
        result = run("replay", replay_id, "--model", "other")
        assert result.exit_code == 3
        assert "made by the model 'random'" in result.output

    def test_of_an_unknown_id_finds_nothing(self, run: Run) -> None:
        result = run("replay", "abcdef0123")
        assert result.exit_code == 3
        assert result.output == "musai: error: the ledger has no replay_id 'abcdef0123'\n"

    def test_of_too_short_an_id_is_bad_input(self, run: Run) -> None:
        assert run("replay", "abc").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bars", "0"), "bars is 0; legal is 1 to 64 bars"),
        (("--tempo", "nan"), "tempo is nan; legal is 20 to 400"),
        (("--seed", "-1"), "seed is -1; legal is 0 to"),
        (("--key", "H"), "key is 'H'; legal is C, F#"),
        (("--signature", "waltz"), "'waltz'; legal is two whole numbers such as 3/4"),
        (("--register", "60-62"), "register's highest pitch is 62"),
        (("--bars", "many"), "'many' is not a valid integer"),
        (("--collection", "nowhere"), "nowhere"),
    ],
)
def test_bad_wishes_are_bad_input_and_write_nothing(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = run("generate", "--out", "x.mid", "--no-match", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not Path("x.mid").exists()


@pytest.mark.parametrize("content", [None, b"", b"RIFF not midi", b"MThd\0\0\0\6"])
def test_a_bad_file_is_bad_input(run: Run, content: bytes | None) -> None:
    if content is not None:
        Path("bad.mid").write_bytes(content)
    result = run("continue", "bad.mid", "--out", "y.mid")
    assert result.exit_code == 2
    assert not Path("y.mid").exists()


def test_a_missing_model_is_not_found(run: Run) -> None:
    result = run("generate", "--model", "nobody", "--no-match")
    assert result.exit_code == 3
    assert "no model 'nobody'" in result.output


def test_a_place_that_cannot_be_written_is_bad_input_and_leaves_no_part(run: Run) -> None:
    Path("taken").mkdir()
    result = run("generate", "--out", "taken", "--no-match")
    assert result.exit_code == 2
    assert "taken cannot be written" in result.output
    assert [path.name for path in Path().iterdir() if ".part" in path.name] == []
