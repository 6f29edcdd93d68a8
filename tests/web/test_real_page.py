"""The page over `musai serve` itself, with the shipped model where it is and a small one where not."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from musai.errors import MusaiError
from musai.music import Phrase
from musai.transformer.checkpoint import folder_of
from tests.cli.conftest import write_model
from tests.web.browser import Page, chromium

pytestmark = [pytest.mark.host("chromium", "chromedriver"), pytest.mark.timeout(240)]

MOTIF = [("a", 0.3, 0.05), ("d", 0.3, 0.05), ("g", 0.3, 0.05), ("h", 0.3, 0.05), ("g", 0.5, 0.1)]


def model(home: Path) -> str:
    """The default model, or a small one of random weights where none is shipped."""
    try:
        return folder_of(None).name
    except MusaiError:
        write_model(home / "models" / "random")
        return "random"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page of a running `musai serve`."""
    home = tmp_path_factory.mktemp("served")
    command = [sys.executable, "-c", "from musai.cli import main; main()", "serve"]
    options = ["--port", "0", "--web-port", "0", "--corpus", "none", "--json", "--with-parent"]
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    env = {**os.environ, "PYTHONPATH": paths, "MUSAI_HOME": str(home), "MUSAI_MODEL": model(home)}
    with subprocess.Popen(
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield json.loads(process.stdout.readline())["web"]
        finally:
            process.stdin.close()
            process.wait(60)


@pytest.fixture(scope="module")
def page(served: str) -> Iterator[Page]:
    with chromium() as browser:
        browser.open(served)
        browser.set("tempo", 120)
        yield browser
        assert browser.errors == []


def test_two_bars_are_answered_in_time_turn_after_turn(page: Page) -> None:
    for _ in range(3):
        page.turn(MOTIF)
    state = page.state
    assert len(state["record"]) == 3
    # The first answer of a fresh server may come a bar later; the page then knows better.
    assert [turn["moved"] for turn in state["record"][1:]] == [0, 0]
    notes = [event for event in state["log"] if event["who"] == "musai"]
    assert notes
    assert max(event["late"] for event in notes) < 0.02
    assert len(state["human"]) == len(MOTIF)
    assert state["drawn"] == len(MOTIF) + len(state["notes"])


def test_the_light_says_why_it_is_grey(page: Page) -> None:
    page.until("document.getElementById('light-word').textContent === 'Not rated'")
    assert page.text("light-sentence")


def test_again_replay_keep_and_download_work_on_the_real_thing(page: Page) -> None:
    before = page.state["phrase"]
    page.click("again")
    page.phase("answer")
    page.phase("idle")
    after = page.state["phrase"]
    assert after != before
    page.click("replay")
    page.until("document.getElementById('say').textContent.includes('identical')", 30)
    page.phase("idle")
    page.click("keep")
    page.until("document.querySelector('#takes .state').textContent === 'kept'")
    with urllib.request.urlopen(page.element("midi").get_attribute("href")) as answer:
        phrase = Phrase.from_midi(answer.read())
    assert phrase.id == after
    assert phrase.bars == 2
    report = page.element("report").get_attribute("href")
    with urllib.request.urlopen(f"{report}.json") as answer:
        told = json.loads(answer.read())
    assert told["subject"]["phrase_id"] == after
    assert [note[2] for note in told["player"]["prompt"]["notes"]] == [60, 64, 67, 69, 67]


def test_musai_can_begin(page: Page) -> None:
    page.click("nothing")
    page.phase("answer")
    page.phase("idle")
    assert page.state["drawn"] > 0
