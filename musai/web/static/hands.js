// What the human's hands do, whatever they play on: heard at once, and recorded while it counts.

import { strike } from "./synth.js";

export class Hands {
  /** `changed(pitch, down)` is called after every key that goes down or up. */
  constructor(audio, changed) {
    this.audio = audio;
    this.changed = changed;
    this.held = new Map(); // pitch -> {voice, note}
    this.played = null; // notes of the recording: {on, off, pitch, velocity}, audio seconds
    this.from = 0;
    this.until = 0;
  }

  /** Record what is struck from `from` until `until`, in audio seconds; `on` goes on recording. */
  record(from, until, on) {
    if (!on || !this.played) this.played = [];
    this.from = from;
    this.until = until;
  }

  /** A key goes down; `moment` is the event's time on the page's clock. */
  async down(pitch, velocity, moment) {
    if (pitch < 0 || pitch > 127) return;
    if (this.held.has(pitch)) this.up(pitch, moment);
    const entry = { voice: null, note: null };
    this.held.set(pitch, entry);
    const { audio } = this;
    if (audio.context?.state === "running") {
      entry.voice = strike(audio, "human", pitch, velocity, audio.now);
      const on = audio.at(moment);
      if (this.played && on >= this.from && on < this.until) {
        entry.note = { on, off: null, pitch, velocity };
        this.played.push(entry.note);
      }
    } else {
      await audio.wake();
      // The key may have been let go while the sound was starting up.
      if (this.held.get(pitch) === entry) {
        entry.voice = strike(audio, "human", pitch, velocity, audio.now);
      }
    }
    this.changed(pitch, true);
  }

  up(pitch, moment) {
    const entry = this.held.get(pitch);
    if (!entry) return;
    this.held.delete(pitch);
    entry.voice?.release(this.audio.now);
    if (entry.note) entry.note.off = Math.max(this.audio.at(moment), entry.note.on + 0.03);
    this.changed(pitch, false);
  }

  /** All keys up: the window lost the keyboard, or everything must be silent. */
  release() {
    for (const pitch of [...this.held.keys()]) this.up(pitch, performance.now());
  }
}
