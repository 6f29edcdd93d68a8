"""Ardour without a screen, its transport rolling, runs the script that a composer would."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mido
import pytest

from musai.music import Phrase
from osc_bridge.background import BridgeThread
from osc_bridge.shelf import FOLDER
from tests.osc_bridge.fakes import FakeService, notes_for

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("musai")
DRIVER = Path(__file__).with_name("ardour_session.lua")
BAR = 4 * 1920
"""Ticks of Ardour's in a bar of four quarters."""

Ardour = Callable[[str], dict[str, list[str]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with a name as people give them."""
    made = tmp_path / "Größe 12 & O'Hara"
    made.mkdir()
    return made


@pytest.fixture
def server(service: FakeService, folder: Path) -> Iterator[BridgeThread]:
    with BridgeThread(service, port=0, record=folder / "home" / "server.json") as it:
        yield it


@pytest.fixture
def ardour(folder: Path) -> Ardour:
    """Runs a case of the driver; what it said, by first word."""

    def run(case: str, command: Path = COMMAND) -> dict[str, list[str]]:
        places = {"HOME": folder, "TMPDIR": folder, "MUSAI_HOME": folder / "home"}
        environment = os.environ | {name: str(place) for name, place in places.items()}
        environment |= {"MUSAI_COMMAND": str(command), "PYTHONPATH": str(ROOT)}
        if not command.exists():
            environment["PATH"] = "/usr/bin:/bin"
        done = subprocess.run(
            ["ardour7-lua", DRIVER, FOLDER / "musai_ardour.lua", folder, case],
            env=environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        said: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            word, _, rest = line.partition(" ")
            said.setdefault(word, []).append(rest)
        assert "ERROR" not in said, said
        assert said["ROLLING"] == ["true"]
        return said

    return run


@pytest.mark.host("ardour7-lua")
@pytest.mark.usefixtures("server")
def test_the_selected_region_is_answered_behind_it_on_its_track_note_for_note(
    service: FakeService, folder: Path, ardour: Ardour
) -> None:
    said = ardour("region")
    (request,) = service.requests
    assert (request.mode, request.bars, request.seed) == ("answer", 2, 7)
    assert request.context == Phrase.from_notes(
        range(6), [0.75] * 6, [60, 64, 67, 72, 71, 127], range(61, 67),
        names=request.context.voices, metre=request.context.metre, length=6,
    )  # fmt: skip
    assert [voice.name for voice in request.context.voices] == ["Motif"]
    # The motif is a bar and a half from bar 2 on, so the answer starts at bar 4.
    assert said["REGION"] == [f"Motif|musai seed 7 green|{3 * BAR}|{2 * BAR}"]
    exported = Phrase.from_midi(folder / "exported.mid")
    assert [tuple(map(int, note)) for note in exported.notes] == notes_for(request)
    # The region it was made from has a pedal; the answer has not.
    assert "control_change" not in {
        message.type for message in mido.MidiFile(folder / "exported.mid")
    }
    history = next((folder / "session").glob("*.history")).read_text()
    assert history.rindex('name="musai"') > history.rindex('name="musai: notes"')


@pytest.mark.host("ardour7-lua")
@pytest.mark.usefixtures("server")
def test_a_range_is_answered_on_another_track_where_its_own_has_no_room(
    service: FakeService, folder: Path, ardour: Ardour
) -> None:
    said = ardour("range")
    (request,) = service.requests
    assert request.context.notes["pitch"].tolist() == [60, 64]
    assert said["REGION"] == [f"musai|musai seed 7 green|{2 * BAR}|{2 * BAR}"]
    exported = Phrase.from_midi(folder / "exported.mid")
    assert [tuple(map(int, note)) for note in exported.notes] == notes_for(request)


@pytest.mark.host("ardour7-lua")
@pytest.mark.usefixtures("server")
def test_with_nothing_selected_it_plays_from_nothing_on_a_bar_line(
    service: FakeService, ardour: Ardour
) -> None:
    said = ardour("nothing")
    (request,) = service.requests
    assert (request.mode, request.context) == ("generate", None)
    assert (request.tempo, request.signature) == (120.0, (4, 4))
    assert int(said["REGION"][0].split("|")[2]) % BAR == 0


@pytest.mark.host("ardour7-lua")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (COMMAND, "start it with: musai serve"),
        (Path("/nowhere/musai"), "pipx install musai"),
    ],
)
def test_a_missing_server_or_command_is_told_and_nothing_is_changed(
    ardour: Ardour, command: Path, words: str
) -> None:
    said = ardour("region", command)
    (message,) = said["MESSAGE"]
    assert message.startswith("Error ")
    assert words in message
    assert said["REGIONS"] == ["0"]
