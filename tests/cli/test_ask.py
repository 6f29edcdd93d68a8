"""`musai ask` against a running bridge."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from musai.cli import main
from musai.errors import NotAllowed, NotFound, WorkerDied
from musai.music import Metre, Phrase
from musai.transformer.request import Request
from osc_bridge.background import BridgeThread
from tests.osc_bridge.fakes import FakeService, notes_for

Ask = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def service() -> Iterator[FakeService]:
    made = FakeService()
    yield made
    made.close()


@pytest.fixture
def bridge(place: Path, service: FakeService) -> Iterator[BridgeThread]:
    with BridgeThread(service, port=0, record=place / "home" / "server.json") as it:
        yield it


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["ask", *map(str, arguments)])


@pytest.mark.usefixtures("bridge")
def test_a_phrase_comes_from_nothing_into_a_file(place: Path, service: FakeService) -> None:
    result = ask("--out", "deep/er/b.mid", "--bars", 2, "--seed", 7, "--tempo", 97.3, "--key", "Am")
    assert result.exit_code == 0, result.output
    request = Request(bars=2, seed=7, tempo=97.3, key="Am")
    assert service.requests == [request]
    phrase = Phrase.from_midi(place / "deep" / "er" / "b.mid")
    assert [tuple(map(int, note)) for note in phrase.notes] == notes_for(request)
    assert phrase.bars == 2
    first, light, again = result.output.splitlines()
    assert first.startswith("deep/er/b.mid: 2 bars, 8 notes, first after ")
    assert first.endswith(", seed 7")
    assert light == "green: Nothing here is like it. Nearest: Ännchen (CC0-1.0)"
    assert again.startswith("the same again: musai replay ")


@pytest.mark.usefixtures("bridge")
@pytest.mark.parametrize(("mode", "asked"), [(None, "answer"), ("continue", "continue")])
def test_a_file_is_answered_or_continued(
    place: Path, service: FakeService, mode: str | None, asked: str
) -> None:
    tune = Phrase.from_notes(range(3000), [1] * 3000, [60] * 3000, metre=Metre.of(93, (3, 4)))
    (place / "a.mid").write_bytes(tune.to_midi())
    options = [] if mode is None else ["--mode", mode]
    result = ask(
        "--in", "a.mid", "--out", "b.mid", "--signature", "3/4", "--register", "48-72", *options
    )
    assert result.exit_code == 0, result.output
    (request,) = service.requests
    assert (request.mode, request.context) == (asked, tune)
    assert (request.signature, request.register) == ((3, 4), (48, 72))
    assert f"seed {request.seed}" in result.output


@pytest.mark.usefixtures("bridge")
def test_json_is_one_value_that_tells_everything(service: FakeService) -> None:
    result = ask("--out", "b.mid", "--seed", 3, "--keep", "--json")
    value: dict[str, Any] = json.loads(result.output)
    assert (value["out"], value["seed"], value["bars"], value["notes"]) == ("b.mid", 3, 4, 16)
    assert value["match"]["light"] == "green"
    assert service.decisions == [(value["phrase_id"], "kept")]
    assert service.replays.keys() == {value["replay_id"]}
    value = json.loads(ask("--out", "b.mid", "--no-match", "--json").output)
    assert value["match"] is None


@pytest.mark.usefixtures("bridge")
def test_a_comparison_that_failed_is_said_and_the_file_is_there(
    place: Path, service: FakeService
) -> None:
    service.mark = lambda compared: None
    result = ask("--out", "b.mid")
    assert result.exit_code == 0, result.output
    assert "grey: not compared: the matcher died" in result.output
    assert (place / "b.mid").exists()


def test_another_server_can_be_named(place: Path, bridge: BridgeThread) -> None:
    (place / "home" / "server.json").unlink()
    where = bridge.bridge.addresses["tcp"].removeprefix("osc.tcp://").rstrip("/")
    assert ask("--out", "b.mid", "--server", where).exit_code == 0


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("where", ["here", ":7733", "here:", "here:x", "here:0", "here:70000"])
def test_a_server_that_is_no_address_is_bad_input(where: str) -> None:
    result = ask("--out", "b.mid", "--server", where)
    assert result.exit_code == 2
    assert "legal is HOST:PORT" in result.output


def test_without_a_server_it_says_how_to_start_one(place: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"127.0.0.1:{free.getsockname()[1]}"
    record = place / "home" / "server.json"
    for options in ([], ["--server", gone]):
        result = ask("--out", "b.mid", *options)
        assert result.exit_code == 3
        assert "start it with: musai serve" in result.output
    record.parent.mkdir()
    record.write_text(json.dumps({"osc": {"tcp": f"osc.tcp://{gone}/"}}))
    assert ask("--out", "b.mid").exit_code == 3
    assert not (place / "b.mid").exists()


@pytest.mark.usefixtures("bridge")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotAllowed("these works may not be used"), 2),
        (NotFound("no collection 'x'"), 3),
        (WorkerDied("ask again"), 1),
        (RuntimeError("a bug"), 1),
    ],
)
def test_a_refusal_keeps_its_exit_code_and_leaves_the_old_file(
    place: Path,
    service: FakeService,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(service, "submit", refuse)
    (place / "b.mid").write_bytes(b"old")
    result = ask("--out", "b.mid")
    assert result.exit_code == code
    assert str(error) in result.output
    assert (place / "b.mid").read_bytes() == b"old"
    assert [path.name for path in place.glob("*mid*")] == ["b.mid"]


@pytest.mark.usefixtures("bridge")
@pytest.mark.parametrize(
    "options",
    [
        ["--bars", "65"],
        ["--in", "none.mid"],
        ["--in", "text.mid"],
        ["--mode", "continue"],
        ["--in", "empty.mid"],
        ["--tempo", "nan"],
        ["--signature", "3-4"],
        ["--mode", "waltz"],
    ],
)
def test_bad_input_is_named_before_the_server_hears_of_it(
    place: Path, service: FakeService, options: list[str]
) -> None:
    (place / "text.mid").write_text("no MIDI")
    (place / "empty.mid").write_bytes(Phrase.from_notes([], [], [], length=4).to_midi())
    result = ask("--out", "b.mid", *options)
    assert result.exit_code == 2
    assert service.requests == []
    assert not (place / "b.mid").exists()


@pytest.mark.usefixtures("bridge")
def test_a_ledger_that_holds_another_phrase_is_an_internal_error(
    place: Path, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Phrase.from_notes([0], [1], [60])
    monkeypatch.setattr(service, "phrase", lambda phrase_id: other)
    result = ask("--out", "b.mid")
    assert result.exit_code == 1
    assert "came instead of" in result.output
    assert not (place / "b.mid").exists()


@pytest.mark.usefixtures("bridge")
def test_a_note_list_goes_in_and_out_for_hosts_that_read_no_midi(
    place: Path, service: FakeService
) -> None:
    (place / "a.notes").write_text("musai 1\ntempo 90\nsignature 3 4\nnote 0 480 60 80 0\n")
    result = ask("--in", "a.notes", "--out", "B.NOTES", "--bars", 1, "--seed", 5)
    assert result.exit_code == 0, result.output
    (request,) = service.requests
    assert request.context == Phrase.from_notes([0], [1], [60], metre=Metre.of(90, (3, 4)))
    lines = (place / "B.NOTES").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["musai 1", "seed 5"]
    assert "light green" in lines
    assert "says Nothing here is like it." in lines
    assert "nearest Ännchen (CC0-1.0)" in lines
    notes = [line for line in lines if line.startswith("note ")]
    assert notes == ["note " + " ".join(map(str, note)) for note in notes_for(request)]


def test_a_note_list_says_what_went_wrong(place: Path, service: FakeService) -> None:
    (place / "a.notes").write_text("musai 1\nnote 0 480 200 80 0\n")
    for options, reason in (
        (["--in", "a.notes"], "line 2, 'note 0 480 200 80 0': "),
        (["--in", "none.mid"], "none.mid cannot be read"),
        (["--bars", 65], "65"),
        ([], "no server runs"),
    ):
        assert ask("--out", "b.notes", *options).exit_code in (2, 3)
        first, second = (place / "b.notes").read_text().splitlines()
        assert first == "musai 1"
        assert second.startswith("error ")
        assert reason in second
    assert service.requests == []


@pytest.mark.usefixtures("bridge")
@pytest.mark.parametrize(
    "name", ["with a space/Ännchen 日本.mid", "it's & $HOME;.mid", "C:\\a\\b.mid"]
)
def test_names_as_people_give_them_work(place: Path, name: str) -> None:
    tune = Phrase.from_notes([0], [1], [60])
    source = place / name
    source.parent.mkdir(exist_ok=True, parents=True)
    source.write_bytes(tune.to_midi())
    out = f"{name}.answer.mid"
    result = ask("--in", source, "--out", place / out)
    assert result.exit_code == 0, result.output
    assert len(Phrase.from_midi(place / out)) > 0


def test_a_console_without_the_letters_of_a_title_gets_what_it_can_show(
    place: Path, bridge: BridgeThread
) -> None:
    environment = os.environ | {
        "PYTHONIOENCODING": "koi8-r",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from musai.cli import main; main()", "ask", "--out", "b.mid"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Nearest: ?nnchen (CC0-1.0)" in done.stdout
