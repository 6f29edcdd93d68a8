// Notes and clicks wait here until shortly before their time, so that a stop can still stop them.

import { click, strike } from "./synth.js";

const EVERY_MS = 25;
const AHEAD = 0.2;
const AHEAD_HIDDEN = 1.6; // browsers wake a hidden page's timers once a second

export class Scheduler {
  constructor(audio) {
    this.audio = audio;
    this.waiting = [];
    this.sounding = new Set();
    /** Every note and click handed to Web Audio: {who, pitch, when, asked, late}, in seconds. */
    this.log = [];
    this.timer = null;
  }

  /** A note {who, pitch, velocity, when, duration} or a click {who: "click", when, strong}. */
  add(event) {
    const at = this.waiting.findIndex((other) => other.when > event.when);
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, event);
    this.timer ??= setInterval(() => this.pump(), EVERY_MS);
    if (event.when < this.audio.now + AHEAD) this.pump();
  }

  /** Hand over all that is due soon. */
  pump() {
    const now = this.audio.now;
    const horizon = now + (document.hidden ? AHEAD_HIDDEN : AHEAD);
    while (this.waiting.length && this.waiting[0].when <= horizon) this.sound(this.waiting.shift());
    if (!this.waiting.length && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  sound(event) {
    const now = this.audio.now;
    const late = Math.max(0, now - event.when);
    const voice =
      event.who === "click"
        ? click(this.audio, Math.max(event.when, now), event.strong)
        : strike(this.audio, event.who, event.pitch, event.velocity, event.when, event.duration);
    this.log.push({ who: event.who, pitch: event.pitch ?? null, when: event.when, asked: now, late });
    if (this.log.length > 20000) this.log.splice(0, 10000);
    if (voice.onended) {
      this.sounding.add(voice);
      voice.onended(() => this.sounding.delete(voice));
    }
  }

  /** Forget what waits and silence what sounds; with `who`, only that player. */
  clear(who = null) {
    this.waiting = who ? this.waiting.filter((event) => event.who !== who) : [];
    if (who) return;
    for (const voice of this.sounding) voice.stop();
    this.sounding.clear();
  }
}
