// Plays what a page shows: one side, the other, or both in time, with a line that moves over the picture.

import { Audio } from "./audio.js";
import { Scheduler } from "./scheduler.js";

const SOON = 0.12;
const DRUM = 128; // added to the pitch of a drum
const VOICES = { a: "human", b: "musai" };
const KEYS = { 1: "a", 2: "b", 3: "ab" };

export function players(boxes) {
  const made = [...boxes].map((box) => new Player(box));
  if (!made.length) return;
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select")) return;
    if (event.key === "Escape") made.forEach((player) => player.stop());
    else if (KEYS[event.key]) made.find((player) => player.has(KEYS[event.key]))?.play(KEYS[event.key]);
  });
  window.musaiPlayers = Object.freeze(made);
}

class Player {
  constructor(box) {
    this.box = box;
    this.sounds = JSON.parse(box.dataset.sounds);
    this.audio = new Audio();
    this.scheduler = new Scheduler(this.audio);
    this.own = box.querySelector("[data-own]");
    this.told = box.querySelector("[data-playing]");
    this.head = null;
    this.began = null;
    for (const button of box.querySelectorAll("[data-play]")) {
      button.addEventListener("click", () => this.play(button.dataset.play));
    }
    box.querySelector("[data-stop]").addEventListener("click", () => this.stop());
    this.own?.addEventListener("change", () => this.moveKey());
    window.addEventListener("pagehide", () => this.stop());
  }

  has(sides) {
    return Boolean(this.box.querySelector(`[data-play="${sides}"]`));
  }

  async play(sides) {
    this.stop();
    await this.audio.wake();
    const start = this.audio.now + SOON;
    this.began = start;
    for (const side of sides) {
      for (const [at, duration, pitch, velocity, own] of this.sounds[side] ?? []) {
        if (pitch >= DRUM) this.scheduler.add({ who: "click", when: start + at, strong: pitch - DRUM < 40 });
        else {
          const sounding = this.own?.checked && own !== undefined ? own : pitch;
          this.scheduler.add({ who: VOICES[side], pitch: sounding, velocity, when: start + at, duration });
        }
      }
    }
    this.say({ a: "the phrase", b: "the work", ab: "both" }[sides]);
    this.frame(start);
  }

  stop() {
    this.scheduler.clear();
    this.began = null;
    this.head?.remove();
    this.head = null;
    this.say("");
  }

  say(text) {
    if (this.told) this.told.textContent = text && `playing ${text}`;
  }

  /** Whether the work sounds and stands in its own key: the picture is fetched as the server draws it. */
  moveKey() {
    const place = new URL(location.href);
    if (this.own.checked) place.searchParams.set("own", "yes");
    else place.searchParams.delete("own");
    location.replace(place);
  }

  frame(start) {
    if (this.began !== start) return;
    const now = this.audio.heardNow - start;
    if (now > this.sounds.length + 0.3) {
      this.stop();
      return;
    }
    this.line(Math.max(0, now));
    requestAnimationFrame(() => this.frame(start));
  }

  /** The line over the picture, where its systems say which seconds they span. */
  line(now) {
    const picture = document.querySelector("#rolls svg");
    const at = this.sounds.systems?.findIndex(([first, last]) => now >= first && now < last) ?? -1;
    if (!picture || at < 0) return;
    const lanes = [...picture.querySelectorAll("rect.edge")].slice(2 * at, 2 * at + 2);
    if (lanes.length < 2) return;
    if (!this.head) {
      this.head = document.createElementNS("http://www.w3.org/2000/svg", "line");
      this.head.setAttribute("class", "playhead");
      picture.append(this.head);
    }
    const [first, last] = this.sounds.systems[at];
    const number = (element, name) => Number(element.getAttribute(name));
    const x = number(lanes[0], "x") + (number(lanes[0], "width") * (now - first)) / (last - first);
    this.head.setAttribute("x1", x);
    this.head.setAttribute("x2", x);
    this.head.setAttribute("y1", number(lanes[0], "y"));
    this.head.setAttribute("y2", number(lanes[1], "y") + number(lanes[1], "height"));
  }
}
