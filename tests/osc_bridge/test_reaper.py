"""The REAPER script, as far as it can be run without REAPER: its calls recorded, its command real."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osc_bridge.background import BridgeThread
from osc_bridge.shelf import FOLDER
from tests.osc_bridge.fakes import FakeService, notes_for

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("musai")
HOST = Path(__file__).with_name("reaper_host.lua")
SCRIPT = FOLDER / "musai_reaper.lua"

Reaper = Callable[..., dict[str, list[str]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Größe 12 & O'Hara $1"
    made.mkdir()
    return made


@pytest.fixture
def server(service: FakeService, folder: Path) -> Iterator[BridgeThread]:
    with BridgeThread(service, port=0, record=folder / "home" / "server.json") as it:
        yield it


@pytest.fixture
def reaper(folder: Path) -> Reaper:
    """Runs the script in a case of the host; what it said, by first word."""

    def run(case: str, command: Path = COMMAND) -> dict[str, list[str]]:
        places = {"HOME": folder, "TMPDIR": folder, "MUSAI_HOME": folder / "home"}
        environment = os.environ | {name: str(place) for name, place in places.items()}
        environment |= {"MUSAI_COMMAND": str(command), "PYTHONPATH": str(ROOT)}
        if not command.exists():
            environment["PATH"] = "/usr/bin:/bin"
        done = subprocess.run(
            ["lua5.4", HOST, SCRIPT, case],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        said: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            word, _, rest = line.partition(" ")
            said.setdefault(word, []).append(rest)
        assert list(folder.glob("musai-*")) == []  # temporary files
        return said

    return run


def notes_said(said: dict[str, list[str]]) -> list[tuple[float, ...]]:
    return [tuple(map(float, line.split())) for line in said["NOTE"]]


@pytest.mark.host("lua5.4")
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("case", "track"), [("items", "Klavier  links"), ("full", "musai")])
def test_selected_items_are_answered_behind_them_where_there_is_room(
    service: FakeService, reaper: Reaper, case: str, track: str
) -> None:
    said = reaper(case)
    (request,) = service.requests
    assert (request.mode, request.bars, request.seed) == ("answer", 2, 7)
    context = request.context
    assert context is not None
    # Bar 2 starts a quarter before the item; the muted note is left out, the last one ends with it.
    assert [tuple(map(int, note)) for note in context.notes] == [
        (480, 240, 60, 61, 0), (960, 360, 64, 62, 0), (1440, 480, 67, 63, 0), (2400, 480, 72, 127, 0),
    ]  # fmt: skip
    assert (context.metre.signatures[0].numerator, context.length) == (3, 6 * 480)
    assert context.metre.tempos[0].bpm == pytest.approx(96, abs=1e-4)
    assert [voice.name for voice in context.voices] == ["Klavier links"]
    assert notes_said(said) == [
        (note.onset, note.duration, note.pitch, note.velocity, 0) for note in notes_for(request)
    ]
    assert said["ITEM"] == [f"{track}|9.000000|17.000000"]
    assert said["NAME"] == ["musai seed 7 green"]
    assert said["UNDO"] == ["begin", "end musai: answer"]
    assert "SORTED" in said


@pytest.mark.host("lua5.4")
@pytest.mark.usefixtures("server")
def test_a_time_selection_is_answered(service: FakeService, reaper: Reaper) -> None:
    said = reaper("range")
    (request,) = service.requests
    assert request.context.notes["onset"].tolist() == [480, 960]
    assert said["ITEM"] == ["musai|6.000000|14.000000"]


@pytest.mark.host("lua5.4")
@pytest.mark.usefixtures("server")
def test_with_nothing_selected_it_plays_on_the_next_bar_line_of_the_selected_track(
    service: FakeService, reaper: Reaper
) -> None:
    said = reaper("nothing")
    (request,) = service.requests
    assert (request.mode, request.tempo, request.signature) == ("generate", 96.0, (3, 4))
    assert said["ITEM"] == ["Chor|9.000000|17.000000"]


@pytest.mark.host("lua5.4")
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("empty", "There are no notes in the selection."),
        ("words", "Not understood: two,7"),
        ("cancel", ""),
    ],
)
def test_what_cannot_be_asked_is_told_and_changes_nothing(
    service: FakeService, reaper: Reaper, case: str, words: str
) -> None:
    said = reaper(case)
    assert service.requests == []
    assert "".join(said.pop("MESSAGE", [])).startswith(words)
    assert said == {}


@pytest.mark.host("lua5.4")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (COMMAND, "start it with: musai serve"),
        (Path("/nowhere/musai"), "pipx install musai"),
    ],
)
def test_a_missing_server_or_command_is_told(reaper: Reaper, command: Path, words: str) -> None:
    said = reaper("items", command)
    assert words in said["MESSAGE"][0]
    assert "ITEM" not in said
    assert "UNDO" not in said
