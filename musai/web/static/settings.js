// The settings' controls as values, and their last state kept in this browser.

const KEYS = [
  "C", "G", "D", "A", "E", "B", "F#", "Db", "Ab", "Eb", "Bb", "F",
  "Am", "Em", "Bm", "F#m", "C#m", "G#m", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm",
];
const KEPT = ["tempo", "bars", "signature", "key", "temperature", "tidy", "loop", "click"];
const STORE = "musai-settings";

/** The keys, as choices of a control. */
export function offerKeys(select) {
  for (const name of KEYS) {
    const tonic = name.replace(/m$/, "").replace("#", "♯").replace(/b$/, "♭");
    select.append(new Option(`${tonic} ${name.endsWith("m") ? "minor" : "major"}`, name));
  }
}

/** A temperature in a word. */
export function temper(value) {
  return value < 0.4 ? "careful" : value < 0.85 ? "calm" : value <= 1.15 ? "even" : value < 1.6 ? "bold" : "wild";
}

export class Settings {
  constructor(find, ranges, volume) {
    this.find = find;
    offerKeys(find("key"));
    const [low, high] = ranges.tempo;
    find("tempo").min = Math.max(40, low);
    find("tempo").max = Math.min(200, high);
    this.restore();
    for (const name of ["tempo", "temperature"]) {
      const show = () => (find(`${name}-out`).value = this.said(name));
      find(name).addEventListener("input", show);
      show();
    }
    for (const name of KEPT) find(name).addEventListener("change", () => this.keep());
    for (const who of ["human", "musai", "click"]) {
      find(`volume-${who}`).addEventListener("input", (event) => volume(who, Number(event.target.value)));
    }
  }

  said(name) {
    const value = Number(this.find(name).value);
    return name === "tempo" ? String(value) : temper(value);
  }

  /** What to play with, as plain values. */
  values() {
    const { find } = this;
    return {
      tempo: Number(find("tempo").value),
      bars: Number(find("bars").value),
      signature: find("signature").value.split("/").map(Number),
      key: find("key").value || null,
      temperature: Number(find("temperature").value),
      tidy: find("tidy").value === "yes",
      loop: find("loop").checked,
      click: find("click").checked,
    };
  }

  keep() {
    const state = {};
    for (const name of KEPT) {
      const control = this.find(name);
      state[name] = control.type === "checkbox" ? control.checked : control.value;
    }
    try {
      localStorage.setItem(STORE, JSON.stringify(state));
    } catch {
      // A browser that keeps nothing plays all the same.
    }
  }

  restore() {
    let state = {};
    try {
      state = JSON.parse(localStorage.getItem(STORE)) ?? {};
    } catch {
      return;
    }
    for (const name of KEPT) {
      const control = this.find(name);
      if (!(name in state)) continue;
      if (control.type === "checkbox") control.checked = Boolean(state[name]);
      else if (control.tagName !== "SELECT" || [...control.options].some((o) => o.value === state[name])) {
        control.value = state[name];
      }
    }
  }
}
