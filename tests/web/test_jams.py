"""A jam is shown as it happens: from its log, over server-sent events, on a page of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from musai.errors import BadInput, NotFound
from musai.service.jams import ENDED, KEPT, JamBoard, PlayAgain, PlayLike, Silence, YourTurn
from musai.web import PageServer, create_app
from osc_bridge import jam_steps as s
from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from tests.osc_bridge.jam_world import BAR, World
from tests.service.desk import Clock
from tests.web.browser import Page
from tests.web.deskservice import DeskService

HOST = "http://127.0.0.1:7734"


def played() -> World:
    """A call of two bars, and the answer told ahead but not yet all committed."""
    world = World()
    world.start()
    world.play(*range(60, 68))
    world.run(s.TICKS)
    return world


def put(board: JamBoard, entries: list[s.Entry], jam: int = 1, name: str = "Grün") -> None:
    board.write(jam, json.dumps({"session": name}).encode() + b"\n")
    for entry in entries:
        board.write(jam, s.to_line(entry))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[DeskService]:
    held = DeskService(tmp_path)
    yield held
    held.close()


@pytest.fixture
def client(service: DeskService) -> TestClient:
    return TestClient(create_app(service), base_url=HOST)


def test_who_comes_later_is_told_what_was_and_then_what_is() -> None:
    board, heard = JamBoard(Clock()), []
    entries = played().entries
    put(board, entries[:-1])
    lines, stop = board.follow(1, lambda jam, line: heard.append(line))
    assert lines == [s.to_line(entry).strip() for entry in entries[:-1]]
    board.write(1, s.to_line(entries[-1]))
    board.write(2, b'{"session": "another"}\n')
    board.write(1, b"")
    stop()
    board.write(2, b"")
    assert heard == [s.to_line(entries[-1]).strip(), b""]
    assert [(row.jam, row.running) for row in board.rows()] == [(2, False), (1, False)]


def test_a_board_forgets_old_lines_and_old_jams() -> None:
    board = JamBoard(Clock())
    for jam in range(1, ENDED + 4):
        put(board, [], jam)
        board.write(jam, b"")
    assert [row.jam for row in board.rows()] == list(range(ENDED + 3, 3, -1))
    put(board, [], 99)
    for _ in range(KEPT + 5):
        board.write(99, b"{}\n")
    assert len(board.follow(99, lambda jam, line: None)[0]) == KEPT


def test_a_take_is_played_again_only_in_a_jam_that_runs(
    service: DeskService, client: TestClient
) -> None:
    asked: list[Any] = []
    put(service.jams, [])
    body = {"how": "vary", "take": 2}
    assert client.post("/api/jams/1/again", json=body).status_code == 404
    service.jams.control = lambda *told: asked.append(told) or ""
    assert client.post("/api/jams/1/again", json=body).status_code == 202
    assert asked == [(1, PlayAgain("vary", 2))]
    assert client.post("/api/jams/1/again", json={"how": "faster"}).status_code == 422
    service.jams.write(1, b"")
    assert client.post("/api/jams/1/again", json=body).status_code == 404
    with pytest.raises(NotFound, match="no jam 7"):
        service.jams.ask(7, PlayAgain())


def test_a_jam_that_is_over_is_told_whole_and_the_connection_ends(
    service: DeskService, client: TestClient
) -> None:
    entries = played().entries
    put(service.jams, entries)
    service.jams.write(1, b"")
    text = client.get("/api/jams/1/events").text
    past, over = text.strip().split("\n\n")
    assert past.startswith("event: past\ndata: ")
    assert len(json.loads(past.removeprefix("event: past\ndata: "))) == len(entries)
    assert over.startswith("event: over")
    assert client.get("/api/jams/x/events").status_code == 404


def test_the_pages_name_a_jam_and_escape_its_session(
    service: DeskService, client: TestClient
) -> None:
    assert "No jam has begun" in client.get("/jams").text
    put(service.jams, [], name="<b>Grün</b>")
    for path in ("/jams", "/jams/1"):
        text = client.get(path).text
        assert "&lt;b&gt;Grün&lt;/b&gt;" in text
        assert "<b>Grün" not in text
    assert client.get("/jams/2", headers={"Accept": "text/html"}).status_code == 404


def test_the_bridge_shows_its_jams_and_the_board_plays_them_again(service: DeskService) -> None:
    options: dict[str, Any] = {"port": 0, "board": service.jams}
    with BridgeThread(service, **options) as thread:
        port = urlsplit(thread.bridge.addresses["udp"]).port or 0
        with Client("127.0.0.1", port, transport="udp", name="hands") as hands:
            hands.hello()
            for _ in range(2):  # the second is acknowledged after all that the first one did
                hands.call("/musai/jam")
            (row,) = service.jams.rows()
            assert row.running
            lines, stop = service.jams.follow(row.jam, lambda jam, line: None)
            stop()
            kinds = [json.loads(line)["input"]["is"] for line in lines]
            assert kinds[:2] == ["transport", "configure"]
            with pytest.raises(BadInput, match="take 0"):
                service.jams.ask(row.jam, PlayAgain())  # there is no take yet
            service.jams.ask(row.jam, YourTurn())
            service.jams.ask(row.jam, Silence())
            service.jams.ask(row.jam, PlayLike({"call": 0, "bars": 4, "density": 6, "key": "F#m"}))
            for values in ({"call": 17}, {"density": "much"}, {"tempo": 90}, {"voice": 1}):
                with pytest.raises(BadInput, match="legal is"):
                    service.jams.ask(row.jam, PlayLike({"bars": 1, **values}))
            hands.call("/musai/set", "temperature", 1.5)  # what was wished for stays
            service.jams.ask(row.jam, PlayLike({"key": "default"}))
            lines, stop = service.jams.follow(row.jam, lambda jam, line: None)
            stop()
            told = [json.loads(line)["input"] for line in lines]
            config = [one["config"] for one in told if one["is"] == "configure"][-1]
            assert (config["call"], config["bars"]) == (0, 4)
            assert config["values"] == {"density": 6, "temperature": 1.5}
            assert [one["is"] for one in told].count("turn") == 1
            hands.call("/musai/jam")
    assert thread.bridge.faults == 0


@pytest.mark.host("chromium", "chromedriver")
def test_a_running_jam_moves_on_its_page_and_its_takes_can_be_kept(
    browser: Page, service: DeskService
) -> None:
    asked: list[Any] = []
    service.jams.control = lambda *told: asked.append(told) or ""
    world = played()
    put(service.jams, world.entries)
    with PageServer(create_app(service), 0) as server:
        browser.driver.get(f"{server.url}jams/1")
        browser.until("window.musaiJam?.takes.size === 1")
        kinds = browser.js("[...new Set(musaiJam.notes().map((note) => note.who))].sort()")
        assert kinds == ["human", "musai", "plan"]
        first = browser.js("musaiJam.now")
        browser.until(f"musaiJam.now > {first} + 100")
        assert "Playing" in browser.js("document.querySelector('#jam-say').textContent").title()
        before = len(world.entries)
        world.run(2 * BAR)
        for entry in world.entries[before:]:
            service.jams.write(1, s.to_line(entry))
        made = service.world.phrase()
        service.jams.write(1, _made(world, made))
        browser.until("document.querySelector('#jam-takes .mark svg')")
        varied = s.Tell("overlap", (1, "green", 1, 0.5, 3, "", "", "", "Nothing like it.", 5, 2.5))
        service.jams.write(1, s.to_line(s.Entry(world.now, s.Time(), (varied,))))
        browser.until("!document.querySelector('#jam-variety').hidden")
        assert "5 takes are as varied as 2.5" in browser.js(
            "document.querySelector('#jam-varied').textContent"
        )
        browser.js("document.querySelector('#jam-takes [data-how=same]').click()")
        browser.js("document.querySelector('#jam-takes [data-decision=keep]').click()")
        browser.until("document.querySelector('#jam-takes .state').textContent === 'kept'")
        assert asked == [(1, PlayAgain("same", 1))]
        browser.js("document.querySelector('#jam-controls [data-do=turn]').click()")
        browser.until("document.querySelector('#jam-controls .state').textContent === 'Its turn.'")
        browser.js(
            "(() => { const bars = document.querySelector('#jam-controls [name=bars]');"
            " bars.value = '4'; bars.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )
        browser.until("document.querySelector('#jam-controls .state').textContent !== 'Its turn.'")
        assert asked[1:] == [(1, YourTurn()), (1, PlayLike({"bars": 4}))]
        service.jams.control = lambda jam, wish: "bars is 99; legal is 1 to 16"
        browser.js("document.querySelector('#jam-controls [data-do=silence]').click()")
        browser.until("document.querySelector('#jam-controls .state').textContent.includes('99')")
        assert browser.js("document.querySelector('#roll').getAttribute('aria-label')") != ""
        service.jams.write(1, b"")
        browser.until("document.querySelector('#jam-say').textContent === 'The jam is over.'")
        assert [error for error in browser.errors if "/silence" not in error] == []
        browser.driver.get("about:blank")


def _made(world: World, phrase: str) -> bytes:
    """An entry by which take 1 is a phrase of the ledger."""
    told = s.Tell("made", (1, phrase, "0" * 64))
    return s.to_line(s.Entry(world.now, s.Time(), (told,)))
