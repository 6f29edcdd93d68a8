"""The page in Chromium: two bars played by key, answered in time on the audio clock."""

import json

import pytest

from tests.web.browser import PITCHES, TWO_BARS, Page
from tests.web.fakes import FakeService

pytestmark = [pytest.mark.host("chromium", "chromedriver"), pytest.mark.timeout(180)]


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


LEVEL = """(() => {
  const { audio } = window.musai;
  window.meter ??= (() => { const m = new AnalyserNode(audio.context); audio.buses.musai.connect(m);
    audio.buses.human.connect(m); return m; })();
  const data = new Float32Array(window.meter.fftSize);
  window.meter.getFloatTimeDomainData(data);
  return Math.max(...data.map(Math.abs));
})()"""


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
