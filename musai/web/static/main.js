// Puts the page together: instruments, conductor, and what is shown of them.

import { Asker } from "./asker.js";
import { Audio } from "./audio.js";
import { Grid, TICKS, pitchName } from "./beats.js";
import { Hands } from "./hands.js";
import { Jam } from "./jam.js";
import { Light } from "./light.js";
import { Link } from "./link.js";
import { MidiIn } from "./midi.js";
import { Piano, typing } from "./piano.js";
import { Roll } from "./roll.js";
import { Scheduler } from "./scheduler.js";
import { Settings } from "./settings.js";
import { Status } from "./status.js";
import { Takes } from "./takes.js";

const find = (id) => document.getElementById(id);
const { lights, ranges } = JSON.parse(document.body.dataset.settings);

const audio = new Audio();
const scheduler = new Scheduler(audio);
const settings = new Settings(find, ranges, (who, value) => audio.volume(who, value));
const light = new Light(find, lights);
const status = new Status(find);
const takes = new Takes(find("takes"), find("takes-title"), shape, choose);
const hands = new Hands(audio, (pitch, down) => {
  piano.light(pitch, down, "human");
  if (!jam.busy) roll.draw();
});
const piano = new Piano(find("piano"), hands, (name) => (find("octave").textContent = name));
const link = new Link({ heard, state: (open) => status.link(open) });
const asker = new Asker(link);
const show = { phase, turn: () => {}, say, take: taken, compared, done };
const jam = new Jam({ audio, scheduler, hands, asker, settings: () => settings.values(), show });
const roll = new Roll(find("roll"), scene, drawn);
const midi = new MidiIn(hands, (text, askable) => {
  find("midi-in").textContent = text;
  find("midi-ask").hidden = !askable;
});

let chosen = null; // the take that the buttons are about

/** What the roll shows: the turn being played, or the chosen take, or an empty page. */
function scene() {
  const turn = jam.turn;
  if (!turn) {
    const wishes = settings.values();
    const grid = new Grid(wishes.tempo, wishes.signature, 0);
    const call = grid.barTicks * wishes.bars;
    return { grid, call, total: 2 * call, notes: [], now: null };
  }
  const { grid, call, answer, length } = turn;
  const now = jam.busy && grid.origin !== Infinity ? grid.tick(audio.heardNow) : null;
  const notes = turn.human.map(([onset, duration, pitch]) => ({ who: "human", onset, duration, pitch }));
  if (hands.played && jam.phase !== "answer") {
    notes.length = 0;
    for (const { on, off, pitch } of hands.played) {
      const onset = grid.tick(on);
      notes.push({ who: "human", onset, duration: Math.max(30, (off ? grid.tick(off) : now) - onset), pitch });
    }
  }
  if (jam.phase !== "count" && jam.phase !== "call") {
    for (const { onset, duration, pitch } of answer.notes) {
      notes.push({ who: "musai", onset: answer.at + onset, duration, pitch });
    }
  }
  return { grid, call, total: Math.max(answer.at, call) + length, notes, now };
}

/** After each frame: the keys that musai is sounding. */
function drawn({ notes, now }) {
  const sounding = notes.filter(
    ({ who, onset, duration }) => who === "musai" && now !== null && onset <= now && now < onset + duration,
  );
  piano.lightAll(new Set(sounding.map(({ pitch }) => pitch)), "musai");
}

function phase(name, turn) {
  document.body.dataset.phase = name;
  find("play-text").textContent = name === "idle" ? playText() : "Start over";
  if (name === "idle") {
    roll.stop();
    find("count").textContent = "";
  } else roll.run();
  if (name === "count") {
    choose(null);
    light.empty("Play after the count; musai answers on the next bar line.");
    countIn(turn);
  }
  if (name === "call") say("Your turn.");
}

/** Big numbers over the roll, one a beat, until the first bar line. */
function countIn(turn) {
  const { grid } = turn;
  const beats = Math.round(grid.barTicks / grid.beatTicks);
  say(`Counting ${beats}, then play.`);
  const frame = () => {
    if (jam.phase !== "count" || jam.turn !== turn) {
      if (jam.phase !== "count") find("count").textContent = "";
      return;
    }
    const beat = Math.floor(grid.tick(audio.heardNow) / grid.beatTicks) + beats + 1;
    find("count").textContent = beat >= 1 && beat <= beats ? String(beat) : "";
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function say(text) {
  find("say").textContent = text;
}

function taken(turn, event) {
  turn.replayed = event.replay;
  if (event.replay === "identical") say("The same take again: identical, note for note.");
  else if (event.replay) say(`The take could not be made the same again: ${event.replay}`);
  takes.add(turn);
  choose(turn);
  if (!turn.light) light.waiting();
  words(turn);
}

function compared(turn, event) {
  turn.light = event;
  takes.compared(turn, event);
  if (chosen === turn) light.compared(event);
}

function done(turn) {
  if (!turn.replayed) say("Your turn again, or another answer, or keep this one.");
  words(turn);
}

/** The buttons and the roll are about this take from now on. */
function choose(turn) {
  chosen = turn;
  const phrase = turn?.answer.phrase ?? null;
  for (const id of ["again", "replay", "both", "keep", "discard"]) find(id).disabled = !phrase;
  find("keep").setAttribute("aria-pressed", String(turn?.decision === "kept"));
  anchor("midi", phrase && `/phrases/${phrase}.mid`, phrase && `musai-${phrase.slice(0, 8)}.mid`);
  anchor("report", phrase && `/reports/${phrase}`);
  takes.choose(phrase);
  if (!turn) return;
  if (turn.light) light.compared(turn.light);
  if (!jam.busy) {
    jam.turn = turn;
    words(turn);
    roll.draw();
  }
}

function anchor(id, href, download = null) {
  const element = find(id);
  element.setAttribute("aria-disabled", String(!href));
  if (href) element.href = href;
  else element.removeAttribute("href");
  if (download) element.download = download;
}

/** Both sides in words: under the roll, and as the roll's own description. */
function words(turn) {
  const human = turn.human.map(([onset, duration, pitch]) => said(turn, onset, duration, pitch));
  const musai = turn.answer.notes.map((n) => said(turn, n.onset, n.duration, n.pitch));
  find("words-human").textContent = human.join("; ") || "Nothing yet.";
  find("words-musai").textContent = musai.join("; ") || "Nothing yet.";
  find("roll").setAttribute(
    "aria-label",
    `Piano roll: you played ${count(human)}, musai ${count(musai)}. The notes in words stand below.`,
  );
}

function said({ grid }, onset, duration, pitch) {
  const bar = Math.floor(onset / grid.barTicks) + 1;
  const unit = (TICKS * 4) / grid.denominator;
  const beat = 1 + (onset % grid.barTicks) / unit;
  return `bar ${bar} beat ${+beat.toFixed(2)} ${pitchName(pitch)} for ${+(duration / unit).toFixed(2)}`;
}

function count(list) {
  return `${list.length} ${list.length === 1 ? "note" : "notes"}`;
}

function shape(name) {
  return find("light").querySelector(`[data-light="${name}"] svg`).cloneNode(true);
}

function heard(event) {
  if (event.event === "hello" || event.event === "status") status.service(event.status);
  if (event.event === "kept" || event.event === "discarded") takes.decide(event.phrase_id, event.event);
  if (event.event === "failed") say(`That did not work: ${event.reason}`);
}

function playText() {
  const bars = Number(find("bars").value);
  return `Play ${["", "one bar", "two bars", "", "four bars"][bars] || `${bars} bars`}`;
}

// What the buttons and the keys do.

const doing = {
  play: () => jam.call(),
  stop() {
    jam.stop();
    say("Stopped. Nothing sounds.");
  },
  nothing: () => ask({ do: "ask", notes: [], ...fresh() }, {}, "musai begins."),
  again: () => ask({ do: "again", phrase: chosen.answer.phrase }, chosen, "Another answer to the same bars."),
  replay: () => ask({ do: "replay", replay: chosen.answer.replay }, chosen, "That take again."),
  both: () => jam.hearBoth(chosen),
  keep: () => decide("kept", "keep", "Kept."),
  discard: () => decide("discarded", "discard", "Discarded."),
};

function fresh() {
  const { bars, tempo, signature, key, temperature } = settings.values();
  return { bars, tempo, signature, key, temperature, seed: crypto.getRandomValues(new Uint32Array(1))[0] };
}

function ask(message, from, text) {
  say(text);
  jam.play(message, from.answer ? { human: from.human, call: from.call, wishes: from.wishes } : {});
}

function decide(decision, verb, text) {
  const turn = chosen;
  turn.decision = decision;
  link.say({ do: verb, phrase: turn.answer.phrase });
  choose(turn);
  say(text);
}

for (const [id, act] of Object.entries(doing)) {
  find(id).addEventListener("click", (event) => {
    // A mouse leaves the focus on the button, where Space and Enter would press it again.
    if (event.detail) event.currentTarget.blur();
    act();
  });
}
find("lower").addEventListener("click", () => piano.shift(-12));
find("higher").addEventListener("click", () => piano.shift(12));
find("midi-ask").addEventListener("click", () => midi.ask());
find("bars").addEventListener("change", () => {
  find("play-text").textContent = playText();
  roll.draw();
});
find("signature").addEventListener("change", () => roll.draw());
window.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const onControl = event.target.closest?.("button, a, summary, input, select");
  if (event.code === "Escape") doing.stop();
  else if (typing(event.target)) return;
  else if (event.code === "KeyZ") piano.shift(-12);
  else if (event.code === "KeyX") piano.shift(12);
  else if (event.code === "Space" && !onControl) {
    event.preventDefault();
    if (!find("play").disabled) doing.play();
  } else if (event.key === "Enter" && !onControl && chosen?.answer.phrase) doing.again();
});
window.addEventListener("pagehide", () => jam.stop());

find("play-text").textContent = playText();
light.empty();
roll.draw();

/** For tests and the curious: what was really scheduled, and when. */
window.musai = Object.freeze({ audio, scheduler, jam, roll, asker, takes });
