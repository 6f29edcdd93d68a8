// The keys on the screen and on the computer keyboard: the row of A is white, the row above black.

import { pitchName } from "./beats.js";

const ROW = [
  "KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ",
  "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon", "Quote",
];
const CAPS = {
  KeyA: "A", KeyW: "W", KeyS: "S", KeyE: "E", KeyD: "D", KeyF: "F", KeyT: "T", KeyG: "G", KeyY: "Y",
  KeyH: "H", KeyU: "U", KeyJ: "J", KeyK: "K", KeyO: "O", KeyL: "L", KeyP: "P", Semicolon: ";", Quote: "'",
};
const KEYS = 25;
const VELOCITY = 88;
const BLACK = new Set([1, 3, 6, 8, 10]);

export class Piano {
  /** `shown(name)` is told of the lowest key after each change of octave. */
  constructor(element, hands, shown) {
    Object.assign(this, { element, hands, shown });
    this.lowest = 60;
    this.codes = new Map(); // key code -> pitch it started
    this.pointers = new Map(); // pointer id -> pitch
    this.caps = CAPS;
    this.build();
    this.listen();
    // Show the letters of the user's own layout where the browser knows them.
    navigator.keyboard?.getLayoutMap?.().then(
      (map) => {
        this.caps = Object.fromEntries(
          ROW.map((code) => [code, (map.get(code) ?? CAPS[code]).toUpperCase()]),
        );
        this.build();
      },
      () => {},
    );
  }

  shift(semitones) {
    const lowest = this.lowest + semitones;
    if (lowest < 24 || lowest > 96) return;
    this.hands.release();
    this.codes.clear();
    this.lowest = lowest;
    this.build();
  }

  build() {
    let whites = 0;
    const keys = Array.from({ length: KEYS }, (_, i) => {
      const key = this.key(this.lowest + i, i);
      const black = key.className === "black";
      // A white key takes two columns; a black one straddles the two whites beside it.
      key.style.gridColumn = `${2 * whites + (black ? 0 : 1)} / span 2`;
      if (!black) whites += 1;
      return key;
    });
    this.element.replaceChildren(...keys);
    this.shown(pitchName(this.lowest));
  }

  key(pitch, index) {
    const key = document.createElement("button");
    key.type = "button";
    key.tabIndex = -1;
    key.dataset.pitch = pitch;
    key.className = BLACK.has(pitch % 12) ? "black" : "white";
    const cap = this.caps[ROW[index]] ?? "";
    key.setAttribute("aria-label", pitchName(pitch) + (cap ? `, key ${cap}` : ""));
    const label = document.createElement("span");
    label.textContent = cap;
    key.append(label);
    return key;
  }

  /** Light exactly these pitches for a player. */
  lightAll(pitches, who) {
    for (const key of this.element.children) {
      key.classList.toggle(who, pitches.has(Number(key.dataset.pitch)));
    }
  }

  light(pitch, on, who) {
    this.element.querySelector(`[data-pitch="${pitch}"]`)?.classList.toggle(who, on);
  }

  listen() {
    window.addEventListener("keydown", (event) => this.press(event));
    window.addEventListener("keyup", (event) => this.lift(event));
    window.addEventListener("blur", () => {
      this.codes.clear();
      this.hands.release();
    });
    const at = (event) => {
      const under = document.elementFromPoint(event.clientX, event.clientY);
      const key = under?.closest?.("#piano [data-pitch]");
      return key ? Number(key.dataset.pitch) : null;
    };
    this.element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      this.slide(event.pointerId, at(event), event.timeStamp);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.pointers.has(event.pointerId)) this.slide(event.pointerId, at(event), event.timeStamp);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(name, (event) => {
        this.slide(event.pointerId, null, event.timeStamp);
        this.pointers.delete(event.pointerId);
      });
    }
    // A screen reader's click has no pointer: it plays a short note.
    this.element.addEventListener("click", (event) => {
      const key = event.target.closest("[data-pitch]");
      if (event.detail || !key) return;
      const pitch = Number(key.dataset.pitch);
      this.hands.down(pitch, VELOCITY, event.timeStamp);
      setTimeout(() => this.hands.up(pitch, performance.now()), 350);
    });
  }

  slide(pointer, pitch, moment) {
    const before = this.pointers.get(pointer) ?? null;
    if (before === pitch && this.pointers.has(pointer)) return;
    if (before !== null) this.hands.up(before, moment);
    this.pointers.set(pointer, pitch);
    if (pitch !== null) this.hands.down(pitch, VELOCITY, moment);
  }

  press(event) {
    const index = ROW.indexOf(event.code);
    if (index < 0 || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || this.codes.has(event.code)) return;
    event.preventDefault();
    const pitch = this.lowest + index;
    this.codes.set(event.code, pitch);
    this.hands.down(pitch, VELOCITY, event.timeStamp);
  }

  lift(event) {
    const pitch = this.codes.get(event.code);
    if (pitch === undefined) return;
    this.codes.delete(event.code);
    this.hands.up(pitch, event.timeStamp);
  }
}

/** Whether letters belong to the element that has the focus. */
export function typing(target) {
  return Boolean(target?.closest?.("select, textarea, input:not([type=range]):not([type=checkbox])"));
}
