"""The page in Chromium: what it shows and says, its buttons, keys and keyboards."""

import urllib.request

import pytest

from musai.music import Phrase
from musai.report.wording import LIGHTS
from musai.web import PageServer, create_app
from tests.web.browser import PITCHES, TWO_BARS, Page
from tests.web.fakes import FakeService

pytestmark = [pytest.mark.host("chromium", "chromedriver"), pytest.mark.timeout(180)]


def test_both_sides_are_drawn_said_and_lit(page: Page) -> None:
    page.turn(TWO_BARS)
    page.until("document.getElementById('light').dataset.light === 'amber'")
    assert page.state["drawn"] == 5 + 16
    assert page.text("light-word") == LIGHTS["amber"].word
    assert page.text("light-number") == "p = 0.34, longest exact run 4 notes"
    assert "The Test Reel" in page.text("light-nearest")
    shapes = page.js(
        "[...document.querySelectorAll('#light .shape')].filter(e => !e.hidden).map(e => e.dataset.light)"
    )
    assert shapes == ["amber"]
    label = page.js("document.getElementById('roll').getAttribute('aria-label')")
    assert "you played 5 notes, musai 16 notes" in label
    assert "C4 for" in page.js("document.getElementById('words-human').textContent")
    # The picture is not one colour: ground, grid, notes of both.
    colours = page.js(
        "(() => { const c = document.getElementById('roll');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const s = new Set();"
        "for (let i = 0; i < d.length; i += 4) s.add((d[i] << 16) | (d[i+1] << 8) | d[i+2]);"
        "return s.size })()"
    )
    assert colours > 50


MIDI = """
const input = { name: 'Test keys', state: 'connected', onmidimessage: null };
navigator.requestMIDIAccess = async () => ({ inputs: new Map([['1', input]]), onstatechange: null });
navigator.permissions.query = async () => ({ state: 'granted' });
window.midi = (...data) => input.onmidimessage({ data, timeStamp: performance.now() });
"""


def test_a_midi_keyboard_plays_with_its_own_velocity(browser: Page, service: FakeService) -> None:
    with PageServer(create_app(service), 0) as server:
        script = browser.driver.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": MIDI}
        )
        try:
            browser.open(server.url)
            browser.set("tempo", 200)
            browser.until("document.getElementById('midi-in').textContent.includes('Test keys')")
            browser.press(" ")
            browser.phase("call")
            browser.driver.execute_script("midi(0x90, 61, 33)")
            browser.until("document.querySelectorAll('#piano .human').length === 1")
            browser.driver.execute_script("midi(0x90, 61, 0)")
            browser.driver.execute_script("midi(0x93, 65, 99); midi(0x83, 65, 64)")
            browser.phase("answer")
            assert [note[2:] for note in browser.state["human"]] == [[61, 33], [65, 99]]
            browser.press("\ue00c")
            assert browser.errors == []
        finally:
            browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
            browser.driver.get("about:blank")


def test_a_browser_without_midi_says_so(browser: Page, service: FakeService) -> None:
    source = "Object.defineProperty(navigator, 'requestMIDIAccess', {value: undefined})"
    with PageServer(create_app(service), 0) as server:
        script = browser.driver.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": source}
        )
        try:
            browser.open(server.url)
            assert "no Web MIDI" in browser.text("midi-in")
            assert not browser.element("midi-ask").is_displayed()
            assert browser.errors == []
        finally:
            browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
            browser.driver.get("about:blank")


def test_another_answer_the_same_exactly_and_both(page: Page, service: FakeService) -> None:
    page.turn(TWO_BARS)
    first = page.state["phrase"]
    page.press("\ue007")
    page.phase("answer")
    page.phase("idle")
    second = page.state["phrase"]
    assert second != first
    assert ("again", first) in service.calls
    page.click("replay")
    page.phase("answer")
    page.until("document.getElementById('say').textContent.includes('identical')")
    page.phase("idle")
    assert page.state["phrase"] == second
    before = len(page.state["log"])
    page.click("both")
    page.phase("answer")
    page.phase("idle")
    log = page.state["log"][before:]
    assert [event["pitch"] for event in log if event["who"] == "human"] == PITCHES
    assert len([event for event in log if event["who"] == "musai"]) == 16
    assert max(event["late"] for event in log) == 0


def test_keep_discard_download_and_report(page: Page, service: FakeService) -> None:
    page.turn(TWO_BARS)
    phrase = page.state["phrase"]
    page.click("keep")
    page.until("document.querySelector('#takes .state').textContent === 'kept'")
    assert page.element("keep").get_attribute("aria-pressed") == "true"
    midi = page.element("midi").get_attribute("href")
    with urllib.request.urlopen(midi) as answer:
        assert Phrase.from_midi(answer.read()).id == phrase
    assert page.element("midi").get_attribute("download") == f"musai-{phrase[:8]}.mid"
    with urllib.request.urlopen(page.element("report").get_attribute("href")) as answer:
        assert b"similarity report" in answer.read()
    page.click("discard")
    page.until("document.querySelector('#takes li').dataset.state === 'discarded'")
    assert [c for c in service.calls if c[0] in ("keep", "discard")][-2:] == [
        ("keep", phrase),
        ("discard", phrase),
    ]


def test_silence_is_met_with_a_hint_and_musai_can_begin(page: Page, service: FakeService) -> None:
    page.press(" ")
    page.phase("call")
    page.phase("idle")
    assert "let musai begin" in page.text("say")
    assert service.calls == []
    page.click("nothing")
    page.phase("answer")
    page.phase("idle")
    assert service.calls[0][1].mode == "generate"
    assert page.state["drawn"] == 16


def test_an_error_is_said_kindly(page: Page, service: FakeService) -> None:
    service.refuse = "the queue is full; legal is 8 requests"
    page.click("nothing")
    page.until("document.getElementById('say').textContent.includes('the queue is full')")
    page.phase("idle")


def test_keys_light_sound_and_shift_their_octave(page: Page) -> None:
    def lit() -> list[str]:
        found: list[str] = page.js(
            "[...document.querySelectorAll('#piano .human')].map(e => e.dataset.pitch)"
        )
        return found

    page.driver.execute_script(
        "dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyG', key: 'g'}))"
    )
    page.until("document.querySelectorAll('#piano .human').length === 1")
    assert lit() == ["67"]
    page.press("x")
    page.until("document.querySelectorAll('#piano .human').length === 0")
    assert page.text("octave") == "C5"
    page.driver.execute_script(
        "dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyG', key: 'g'}))"
    )
    page.until("document.querySelectorAll('#piano .human').length === 1")
    assert lit() == ["79"]
    page.driver.execute_script("dispatchEvent(new Event('blur'))")
    page.until("document.querySelectorAll('#piano .human').length === 0")
    key = page.driver.find_element("css selector", "#piano [data-pitch='72']")
    key.click()
    assert key.get_attribute("aria-label") == "C5, key A"


def test_nothing_is_fetched_from_elsewhere_and_nothing_scrolls_sideways(page: Page) -> None:
    origins = page.js(
        "[...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).origin))]"
    )
    assert origins == [page.js("location.origin")]
    for width in (360, 800, 1280):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        assert page.js("document.documentElement.scrollWidth") <= width
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_control_has_a_name_and_can_be_reached_by_key(page: Page) -> None:
    nameless = page.js(
        "[...document.querySelectorAll('button, a[href], input, select, summary')].filter(e =>"
        " !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.id)"
    )
    assert nameless == []
    reached = set()
    for _ in range(40):
        page.press("\ue004")
        reached.add(page.js("document.activeElement.id"))
    assert {"play", "stop", "nothing", "loop", "click", "tempo", "key", "lower"} <= reached


def test_the_page_finds_its_server_again(browser: Page, service: FakeService) -> None:
    server = PageServer(create_app(service), 0).start()
    browser.open(server.url)
    server.close()
    browser.until("document.getElementById('link').dataset.state === 'off'")
    assert "musai serve" in browser.text("banner")
    assert not browser.element("play").is_enabled()
    with PageServer(create_app(service), server.port):
        browser.until("document.getElementById('link').dataset.state === 'on'", 20)
        assert not browser.element("banner").is_displayed()
    browser.driver.get("about:blank")
    browser.driver.get_log("browser")  # refused connections are this test's own doing


def test_what_is_still_being_prepared_is_said(page: Page) -> None:
    assert page.text("about") == "model fake · the corpus reels is being built, 40%"
