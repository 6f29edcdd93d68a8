"""`musai clients`: what goes into a DAW."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from musai.cli import main
from musai.cli.clients import command
from osc_bridge.shelf import FOLDER, SHELF, homes

SCRIPTS = ("musai_ardour.lua", "musai_reaper.lua")


def clients(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["clients", *map(str, arguments)])


def test_every_client_is_listed_with_its_files() -> None:
    rows = json.loads(clients("--json").output)
    assert rows.keys() == SHELF.keys()
    for row in rows.values():
        assert Path(row["page"]).is_file()
        assert row["file"] is None or Path(row["file"]).is_file()
    told = clients().output
    assert all(name in told for name in SHELF)
    assert "Ardour 7 and later" in told


def test_every_file_of_the_folder_belongs_to_a_client(tmp_path: Path) -> None:
    assert clients("--to", tmp_path).exit_code == 0
    copied = {path.name for path in tmp_path.iterdir()}
    assert copied == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_copied_script_knows_where_musai_is(tmp_path: Path, script: str) -> None:
    name = script.removesuffix(".lua").removeprefix("musai_")
    result = clients(name, "--to", tmp_path / "Meine Skripte", "--json")
    assert str(tmp_path / "Meine Skripte" / script) in json.loads(result.output)
    text = (tmp_path / "Meine Skripte" / script).read_text(encoding="utf-8")
    assert f"local MUSAI = [[{command()}]]\n" in text
    assert "local MUSAI = [[]]\n" in (FOLDER / script).read_text(encoding="utf-8")


def test_without_a_folder_it_goes_where_the_host_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setattr(sys, "platform", "linux")
    refused = clients("reaper")
    assert refused.exit_code == 3
    assert "musai clients reaper --to FOLDER" in refused.output
    (tmp_path / ".config" / "REAPER").mkdir(parents=True)
    result = CliRunner().invoke(main, ["clients", "reaper"])
    assert homes(SHELF["reaper"], "linux") == [tmp_path / ".config" / "REAPER" / "Scripts"]
    assert result.exit_code == 0, result.output
    assert (tmp_path / ".config" / "REAPER" / "Scripts" / "musai_reaper.lua").is_file()


@pytest.mark.parametrize(
    ("platform", "variable", "folder", "client", "found"),
    [
        ("darwin", "HOME", "Library/Preferences/Ardour8", "ardour", "Library/Preferences/Ardour8/scripts"),
        ("linux", "HOME", ".config/ardour7", "ardour", ".config/ardour7/scripts"),
        ("win32", "LOCALAPPDATA", "ardour9", "ardour", "ardour9/scripts"),
        ("win32", "APPDATA", "REAPER", "reaper", "REAPER/Scripts"),
        ("darwin", "HOME", "Library/Application Support/REAPER", "reaper", "Library/Application Support/REAPER/Scripts"),
        ("win32", "USERPROFILE", "Documents/plugdata", "pd", "Documents/plugdata/Patches"),
    ],
)  # fmt: skip
def test_hosts_are_found_on_every_platform(
    tmp_path: Path, platform: str, variable: str, folder: str, client: str, found: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert homes(SHELF[client], platform, {variable: str(tmp_path)}) == [tmp_path / found]


def test_an_unknown_client_is_named_with_those_there_are() -> None:
    result = clients("cubase")
    assert result.exit_code == 3
    assert "no client 'cubase'; there are midi, pd, ardour, reaper" in result.output


def test_both_scripts_share_the_same_lines() -> None:
    parts = []
    for script in SCRIPTS:
        text = (FOLDER / script).read_text(encoding="utf-8")
        between = text.partition("-- shared: begin")[2].partition("-- shared: end")[0]
        lines = between.splitlines()
        deep = script == "musai_ardour.lua"
        assert not deep or all(line.startswith("\t") for line in lines[1:] if line)
        parts.append([line[1:] if deep and i else line for i, line in enumerate(lines)])
    assert parts[0][:-1] == parts[1]
    assert len(parts[1]) > 80


@pytest.mark.host("luac5.4")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_lua(script: str) -> None:
    compiler = shutil.which("luac5.4")
    assert compiler is not None
    subprocess.run([compiler, "-p", FOLDER / script], check=True)
