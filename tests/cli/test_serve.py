"""`musai serve` as a process: addresses, a phrase over OSC, signals, ports, the ledger after a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from musai.cli.serve import has_screen
from musai.ledger import Ledger, verify_file
from musai.transformer.request import Request
from osc_bridge.client import Client
from tests.cli.conftest import Run
from tests.transformer.models import motif

CODE = "from musai.cli import main; main()"


@contextmanager
def serving(*options: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """A server process on free ports, and what it printed first."""
    arguments = ["serve", "--port", "0", "--web-port", "0", "--json", "--corpus", "none", *options]
    with subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the server ended before it began"
            yield process, json.loads(line)
        finally:
            process.kill()


def client(addresses: dict[str, Any]) -> Client:
    url = urlsplit(addresses["osc"]["tcp"])
    return Client(str(url.hostname), int(url.port or 0), timeout=60)


def test_it_plays_over_osc_shows_a_page_and_ends_cleanly(home: Path) -> None:
    with serving() as (process, addresses):
        told = json.loads((home / "server.json").read_text())
        assert told["osc"] == addresses["osc"]
        assert told["web"] == addresses["web"]
        assert all("127.0.0.1" in url for url in (addresses["web"], *addresses["osc"].values()))
        with urllib.request.urlopen(addresses["web"], timeout=60) as page:
            assert b"musai" in page.read()
        with client(addresses) as osc:
            osc.hello()
            answer = osc.ask(Request(mode="answer", bars=2, seed=3, context=motif()))
            assert osc.phrase(answer.phrase).bars == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not (home / "server.json").exists()
    with Ledger.open(home / "ledger" / "ledger.sqlite") as ledger:
        assert [record.kind for record in ledger.last(9)] == ["match", "phrase", "request"]


def test_ctrl_c_ends_it_cleanly_and_its_workers_with_it(home: Path) -> None:
    with serving() as (process, addresses):
        with urllib.request.urlopen(f"{addresses['web']}api/describe", timeout=60) as page:
            workers = json.load(page)["workers"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    for worker in workers.values():
        if worker["pid"] is not None:
            with pytest.raises(ProcessLookupError):
                os.kill(worker["pid"], 0)


def test_it_ends_with_the_program_that_started_it(home: Path) -> None:
    with serving("--with-parent") as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_killed_server_loses_no_phrase_that_it_announced(home: Path) -> None:
    with serving() as (process, addresses):
        with client(addresses) as osc:
            osc.hello()
            heard = [osc.ask(Request(bars=1, seed=seed), overlap=False) for seed in range(5)]
            process.kill()
        process.wait(60)
    path = home / "ledger" / "ledger.sqlite"
    assert verify_file(path).ok
    with Ledger.open(path) as ledger:
        for answer in heard:
            assert ledger.find("phrase_id", answer.phrase, "phrase")
            assert ledger.find("replay_id", answer.replay, "request")


@pytest.mark.parametrize("option", ["--port", "--web-port"])
def test_a_taken_port_is_bad_input_and_named(run: Run, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = "--web-port" if option == "--port" else "--port"
        result = run("serve", option, port, other, 0, "--corpus", "none", "--no-browser")
    assert result.exit_code == 2
    assert str(port) in result.output


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "x"}, "linux", False),
        ({}, "darwin", True),
        ({"CI": "true"}, "darwin", False),
        ({}, "win32", True),
    ],
)
def test_a_browser_opens_where_somebody_sits(
    environment: dict[str, str], platform: str, expected: bool
) -> None:
    assert has_screen(environment, platform) is expected
