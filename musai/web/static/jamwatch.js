// The page of a running jam: its log as a moving piano roll, its takes with what can be done with them.

import { TICKS } from "./beats.js";
import { JamHands } from "./jamhands.js";
import { JamLog } from "./jamlog.js";
import { Roll } from "./roll.js";

const BEATS = 8; // shown on either side of now
const WORDS = {
  listening: "listening to you", thinking: "thinking", playing: "playing", waiting: "waiting for you",
  stopped: "stopped: start the transport",
};
const DECISIONS = { keep: "kept", discard: "discarded" };

const main = document.querySelector("[data-jam]");
const jam = main.dataset.jam;
const log = new JamLog();
const say = document.getElementById("jam-say");
const counts = document.getElementById("jam-counts");
const list = document.getElementById("jam-takes");
const canvas = document.getElementById("roll");
const rows = new Map();
let over = false;
let described = 0;

const hands = new JamHands(document.getElementById("jam-controls"), (what, body) => post(`/api/jams/${jam}/${what}`, body));
let config = null;
const roll = new Roll(canvas, scene, describe);
const source = new EventSource(`/api/jams/${jam}/events`);
source.addEventListener("past", (event) => {
  for (const entry of JSON.parse(event.data)) log.step(entry);
  show();
});
source.addEventListener("step", (event) => {
  log.step(JSON.parse(event.data));
  show();
});
source.addEventListener("over", () => {
  over = true;
  source.close();
  show();
});
window.addEventListener("pagehide", () => source.close());
window.musaiJam = log;

function scene() {
  const now = log.now;
  const from = Math.max(0, now - BEATS * TICKS);
  const first = Math.floor(from / log.bar);
  const base = first * log.bar;
  const span = [from - base, from - base + 2 * BEATS * TICKS];
  const near = (note) => note.onset + note.duration > from && note.onset < base + span[1];
  const notes = log.notes().filter(near).map((note) => ({ ...note, onset: note.onset - base }));
  const grid = { barTicks: log.bar, beatTicks: log.beat, first };
  return { grid, total: span[1], call: 0, notes, now: now - base, span };
}

function show() {
  const word = over ? "The jam is over." : `musai is ${WORDS[log.word] ?? "here"}.`;
  if (say.textContent !== word) say.textContent = word;
  counts.textContent = `${Math.round(log.tempo)} quarters a minute; ${counted(log.missed, "bar")} missed, ${counted(log.late, "note")} left out.`;
  for (const take of log.takes.values()) row(take);
  if (log.variety) vary(log.variety);
  if (log.config && log.config !== config) hands.show((config = log.config));
  if (over) hands.end();
  if (log.playing && !over) roll.run();
  else roll.stop();
}

function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** What the picture shows, in words, once in a while. */
function describe({ notes }) {
  if (performance.now() - described < 1000) return;
  described = performance.now();
  const count = (who) => notes.filter((note) => note.who === who).length;
  canvas.setAttribute("aria-label", `Piano roll around now: ${count("human")} notes of yours, `
    + `${count("musai")} committed and ${count("plan")} planned by musai`);
}

/** The sameness gauge: full where the takes differ as passages of a corpus do. */
function vary({ takes, varied }) {
  const meter = document.getElementById("jam-meter");
  meter.max = takes;
  meter.value = varied;
  document.getElementById("jam-varied").textContent = `The last ${takes} takes are as varied as ${varied.toFixed(1)} passages of the corpus.`;
  document.getElementById("jam-variety").hidden = false;
}

function row(take) {
  if (!rows.has(take.number)) {
    const made = document.getElementById("jam-take").content.cloneNode(true).firstElementChild;
    made.querySelector(".name").textContent = `Take ${take.number}`;
    made.addEventListener("click", (event) => act(take, made, event.target.closest("button")));
    list.prepend(made);
    rows.set(take.number, made);
    document.getElementById("jam-none").hidden = true;
  }
  const made = rows.get(take.number);
  if (made.dataset.light !== take.light && take.light) {
    made.dataset.light = take.light;
    const shape = document.querySelector(`#jam-lights [data-light="${take.light}"]`);
    made.querySelector(".mark").replaceChildren(shape.cloneNode(true));
  }
  made.querySelector(".sentence").textContent = take.failed ?? take.sentence;
  for (const button of made.querySelectorAll("button")) {
    button.disabled = button.dataset.how ? over : !take.phrase;
  }
  const report = made.querySelector("a");
  report.hidden = !take.phrase;
  if (take.phrase) report.href = `/match/${take.phrase}`;
}

async function act(take, made, button) {
  if (!button) return;
  const { how, decision } = button.dataset;
  const [path, body] = how
    ? [`/api/jams/${jam}/again`, { how, take: take.number }]
    : [`/api/phrases/${take.phrase}/decision`, { decision: DECISIONS[decision] }];
  const said = await post(path, body);
  const state = made.querySelector(".state");
  if (said) state.textContent = said;
  else if (decision) {
    state.textContent = DECISIONS[decision];
    made.dataset.state = DECISIONS[decision];
  } else state.textContent = "comes on the next bar line";
}

/** Why it was refused; nothing where it was done. */
async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body),
  });
  return answer.ok ? "" : (await answer.json()).detail;
}
