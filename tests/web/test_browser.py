"""The page in Chromium: two bars played by key, answered in time on the audio clock."""

import json
import urllib.request
from collections.abc import Iterator

import pytest

from musai.music import Phrase
from musai.report.wording import LIGHTS
from musai.web import PageServer, create_app
from tests.web.browser import Page, chromium
from tests.web.fakes import FakeService

pytestmark = [pytest.mark.host("chromium", "chromedriver"), pytest.mark.timeout(180)]

TWO_BARS = [("a", 0.3, 0.05), ("d", 0.2, 0.05), ("g", 0.2, 0.05), ("k", 0.4, 0.1), ("w", 0.2, 0.05)]
"""C4 E4 G4 C5 C#4: 1.6 of the 2 seconds that two bars of 4/4 take at 240 quarters a minute."""
PITCHES = [60, 64, 67, 72, 61]


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as page:
        yield page


@pytest.fixture
def service() -> FakeService:
    return FakeService(delay=0.03, light="amber")


@pytest.fixture
def page(browser: Page, service: FakeService) -> Iterator[Page]:
    """A fresh page, quick: 200 quarters a minute."""
    with PageServer(create_app(service), 0) as server:
        browser.open(server.url)
        browser.set("tempo", 200)
        yield browser
        assert browser.errors == []
        browser.driver.get("about:blank")


def test_two_bars_are_answered_on_the_next_bar_line(page: Page, service: FakeService) -> None:
    page.set("tempo", 160)
    page.turn(TWO_BARS)
    state = page.state
    (turn,) = state["record"]
    assert turn["moved"] == 0
    assert turn["begins"] == turn["due"]
    answer = [event for event in state["log"] if event["who"] == "musai"]
    assert len(answer) == 16
    assert answer[0]["when"] == pytest.approx(turn["due"], abs=1e-6)
    assert [e["when"] for e in answer] == pytest.approx(
        [turn["due"] + i * 60 / 160 / 2 for i in range(16)], abs=1e-6
    )
    assert max(event["late"] for event in state["log"]) == 0
    assert all(event["asked"] < event["when"] for event in state["log"])
    assert [note[2] for note in state["human"]] == PITCHES
    sent = [call[1] for call in service.calls if call[0] == "submit"][-1]
    assert sent.context.notes["pitch"].tolist() == sorted_by_onset(state["human"])
    assert sent.context.length == 2 * 4 * 480
    assert round(sent.context.metre.tempos[0].bpm) == 160


def sorted_by_onset(rows: list[list[int]]) -> list[int]:
    return [row[2] for row in sorted(rows, key=lambda row: (row[0], row[2]))]


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


def test_the_answer_sounds_when_its_note_is_due(page: Page) -> None:
    """Measured on the signal itself, against a tone whose start is known."""
    page.click("nothing")  # any sound starts the audio clock
    page.phase("idle")
    page.driver.execute_script(TAP)
    page.set("click", False)
    page.turn(TWO_BARS)
    heard = page.js("window.tap.onset(window.musai.jam.record.at(-1).begins - 0.05)")
    due = page.state["record"][-1]["due"]
    assert heard - due == pytest.approx(0, abs=0.012)


TAP = """
const { context, buses } = window.musai.audio;
const SIZE = 256;
function tapped(node) {
  const tap = context.createScriptProcessor(SIZE, 2, 1);
  const blocks = [];
  tap.onaudioprocess = (e) => {
    const data = e.inputBuffer.getChannelData(0);
    let at = -1;
    for (let i = 0; i < data.length && at < 0; i++) if (Math.abs(data[i]) > 0.004) at = i;
    blocks.push([e.playbackTime, at]);
  };
  node.connect(tap).connect(context.destination);
  return (after) => {
    for (const [time, at] of blocks) {
      const when = time + at / context.sampleRate;
      if (at >= 0 && when >= after) return when;
    }
    return null;
  };
}
const tone = new ConstantSourceNode(context, { offset: 0.5 });
const known = tapped(tone);
const start = context.currentTime + 0.2;
tone.start(start);
tone.stop(start + 0.1);
const musai = tapped(buses.musai);
window.tap = { onset: (after) => musai(after + known(0) - start) - (known(0) - start) };
"""


RENDER = """
const done = arguments[0];
(async () => {
  const { Audio } = await import('/static/audio.js');
  const { strike } = await import('/static/synth.js');
  async function peak(who, pitches, velocity) {
    const audio = new Audio();
    const context = new OfflineAudioContext(2, 44100, 44100);
    audio.build(context);
    for (const pitch of pitches) strike(audio, who, pitch, velocity, 0.02, 0.6);
    const data = (await context.startRendering()).getChannelData(0);
    return data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  }
  const chord = [48, 52, 55, 60, 64, 67, 72, 76];
  const found = {};
  for (const who of ['human', 'musai']) {
    found[who] = {};
    for (const pitch of [36, 60, 84]) found[who][pitch] = await peak(who, [pitch], 88);
    found[who].soft = await peak(who, [60], 30);
    found[who].chord = await peak(who, chord, 127);
  }
  done(found);
})().catch((error) => done(String(error)));
"""


def test_both_timbres_are_equally_loud_and_never_clip(page: Page) -> None:
    found = page.driver.execute_async_script(RENDER)
    human, musai = found["human"], found["musai"]
    for pitch in ("36", "60", "84"):
        assert 0.8 < human[pitch] / musai[pitch] < 1.25
        assert human[pitch] > 0.1
    for who in (human, musai):
        assert who["soft"] < who["60"] / 2
        assert who["60"] < who["chord"] < 1


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


def test_an_answer_that_is_late_comes_in_on_a_later_bar_line_and_says_so(
    page: Page, service: FakeService
) -> None:
    service.delay = 1.5
    page.turn(TWO_BARS)
    (turn,) = page.state["record"]
    assert turn["moved"] >= 1
    assert turn["begins"] - turn["due"] == pytest.approx(turn["moved"] * 4 * 60 / 200, abs=1e-6)
    answer = [event for event in page.state["log"] if event["who"] == "musai"]
    assert answer[0]["when"] == pytest.approx(turn["begins"], abs=1e-6)
    assert max(event["late"] for event in answer) == 0


def strike_before_the_end(page: Page, seconds: float) -> None:
    """G4 goes down so long before the bar line that ends the human's bars."""
    page.driver.execute_script(
        """
        const { audio, jam } = window.musai;
        const left = jam.turn.grid.time(jam.turn.call) - audio.heardNow - arguments[0];
        setTimeout(() => {
          dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyG', key: 'g' }));
          setTimeout(() => dispatchEvent(new KeyboardEvent('keyup', { code: 'KeyG', key: 'g' })), 40);
        }, 1000 * left);
        """,
        seconds,
    )


def test_a_note_played_while_musai_is_being_asked_is_still_heard(
    page: Page, service: FakeService
) -> None:
    page.press(" ")
    page.phase("call")
    strike_before_the_end(page, 0.35)
    page.play([("a", 0.2, 0.0)])
    page.phase("answer")
    page.phase("idle")
    asked = [c[1].context.notes["pitch"].tolist() for c in service.calls if c[0] == "submit"]
    assert asked[0] == [60]
    assert asked[-1] == [60, 67]
    assert [note[2] for note in page.state["human"]] == [60, 67]
    assert page.state["record"][0]["moved"] == 0
    # Drafts that were not used are dropped: stopped, or discarded where they were finished.
    dropped = [call for call in service.calls if call[0] in ("cancel", "discard")]
    assert len(dropped) == len(asked) - 1
    assert len(page.driver.find_elements("css selector", "#takes li")) == 1


def test_a_note_too_late_to_be_heard_keeps_the_answer_in_time_and_is_said(
    page: Page, service: FakeService
) -> None:
    service.delay = 0.2
    page.press(" ")
    page.phase("call")
    strike_before_the_end(page, 0.13)
    page.play([("a", 0.2, 0.0)])
    page.phase("answer")
    page.until("document.getElementById('say').textContent.includes('too late')", 3)
    page.phase("idle")
    (turn,) = page.state["record"]
    assert turn["moved"] == 0
    asked = [c[1].context.notes["pitch"].tolist() for c in service.calls if c[0] == "submit"]
    assert asked == [[60]]


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


def test_turns_follow_one_another_in_time(page: Page, service: FakeService) -> None:
    page.set("bars", "1")
    page.set("loop", True)
    page.press(" ")
    page.phase("call")
    page.play([("a", 0.2, 0.2), ("s", 0.2, 0.1)])
    page.phase("answer")
    page.phase("call")
    page.play([("d", 0.2, 0.2), ("f", 0.2, 0.1)])
    page.phase("answer")
    page.set("loop", False)
    page.phase("idle")
    first, second = page.state["record"]
    assert second["due"] - first["due"] == pytest.approx(2 * 4 * 60 / 200, abs=1e-6)
    assert (first["moved"], second["moved"]) == (0, 0)
    contexts = [c[1].context.notes["pitch"].tolist() for c in service.calls if c[0] == "submit"]
    assert contexts[-1] == [64, 65]


def test_stop_is_silence_at_once_and_drops_the_answer(page: Page, service: FakeService) -> None:
    page.press(" ")
    page.phase("call")
    page.play(TWO_BARS[:2])
    page.phase("answer")
    page.press("\ue00c")
    page.phase("idle")
    state = page.state
    assert (state["waiting"], state["sounding"]) == (0, 0)
    page.until(LEVEL + " < 0.001", 3)


LEVEL = """(() => {
  const { audio } = window.musai;
  window.meter ??= (() => { const m = new AnalyserNode(audio.context); audio.buses.musai.connect(m);
    audio.buses.human.connect(m); return m; })();
  const data = new Float32Array(window.meter.fftSize);
  window.meter.getFloatTimeDomainData(data);
  return Math.max(...data.map(Math.abs));
})()"""


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


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        ([(0.02, 0.48), (0.51, 0.98)], [[0, 480, 60, 80], [480, 480, 60, 80]]),
        ([(-0.06, 0.2)], [[0, 240, 60, 80]]),
        (
            [(0.0, 0.16), (0.167, 0.3), (0.333, 0.5)],
            [[0, 160, 60, 80], [160, 160, 60, 80], [320, 160, 60, 80]],
        ),
        (
            [(0.0, 0.1), (0.13, 0.2), (0.24, 0.3), (0.37, 0.5)],
            [[i * 120, 120, 60, 80] for i in range(4)],
        ),
        ([(0.0, 0.001)], [[0, 120, 60, 80]]),
        ([(3.98, 4.1)], []),
        ([(3.5, None)], [[3360, 480, 60, 80]]),
    ],
)
def test_timing_is_tidied_as_a_score_would_write_it(page: Page, played, expected) -> None:
    notes = json.dumps([{"on": on, "off": off, "pitch": 60, "velocity": 80} for on, off in played])
    grid = "{tick: (t) => t * 960, time: (k) => k / 960}"
    assert page.module("tidy.js", f"m.score({notes}, {grid}, 3840, true)") == expected


def test_untidied_timing_keeps_every_tick(page: Page) -> None:
    notes = '[{"on": 0.0213, "off": 0.2, "pitch": 60, "velocity": 70}]'
    grid = "{tick: (t) => t * 960, time: (k) => k / 960}"
    assert page.module("tidy.js", f"m.score({notes}, {grid}, 3840, false)") == [[20, 172, 60, 70]]
