// A jam's log -> what stands on its page: who played, what is planned, what is committed, the takes.

import { TICKS } from "./beats.js";

const KEPT_BEATS = 64; // older notes are forgotten

export class JamLog {
  constructor() {
    this.human = [];
    this.takes = new Map();
    this.word = "";
    this.variety = null;
    this.config = null; // how musai plays along
    this.missed = this.late = 0;
    this.tempo = 120;
    this.offset = this.tick = 0;
    this.bar = 4 * TICKS;
    this.beat = TICKS;
    this.playing = false;
    this.at = performance.now();
  }

  /** One entry: a tick, what came in, what came of it. */
  step({ tick, input, out }) {
    this.tick = tick;
    this.at = performance.now();
    this[`in_${input.is}`]?.(input);
    for (const one of out) if (one.is === "tell") this[`told_${one.name}`]?.(...one.args);
    const old = tick - KEPT_BEATS * TICKS;
    this.human = this.human.filter((note) => note.onset > old);
  }

  /** The jam's tick by now: between two entries it goes on in tempo. */
  get now() {
    if (!this.playing) return this.tick;
    return this.tick + ((performance.now() - this.at) * this.tempo * TICKS) / 60_000;
  }

  /** All notes with their kind: human, committed or plan. */
  notes() {
    const told = this.human.map((note) => ({
      ...note, who: "human", duration: note.duration ?? Math.max(1, this.now - note.onset),
    }));
    for (const take of this.takes.values()) {
      for (const note of take.notes.values()) {
        told.push({ ...note, who: note.onset < take.until ? "musai" : "plan" });
      }
    }
    return told;
  }

  in_configure({ config }) {
    this.config = config;
    const [numerator, denominator] = config.signature ?? [4, 4];
    this.bar = (4 * TICKS * numerator) / denominator;
    this.beat = (4 * TICKS) / denominator;
  }

  in_transport({ tempo, offset, playing }) {
    Object.assign(this, { tempo, offset, playing });
  }

  in_on({ key, pitch, voice, ago = 0 }) {
    this.human.push({ key, pitch, voice, onset: this.tick - ago, duration: null });
  }

  in_off({ key, pitch, voice, ago = 0 }) {
    const held = this.human.findLast((note) => note.duration === null
      && (key ? note.key === key : note.pitch === pitch && note.voice === voice));
    if (held) held.duration = Math.max(1, this.tick - ago - held.onset);
  }

  in_gone({ owner }) {
    for (const note of this.human) {
      if (note.duration === null && note.key.startsWith(owner)) note.duration = Math.max(1, this.tick - note.onset);
    }
  }

  told_state(word, take, missed, late) {
    Object.assign(this, { word, missed, late });
  }

  told_take(number, start, bars, seed, replay) {
    const begins = start + this.offset;
    this.takes.set(number, {
      number, start: begins, bars, seed, replay, notes: new Map(), until: -Infinity, phrase: "", light: "", sentence: "",
    });
    for (const [other, take] of this.takes) {
      if (take.start < this.tick - KEPT_BEATS * TICKS) take.notes.clear();
      if (other < number - 64) this.takes.delete(other);
    }
  }

  told_note(number, index, at, duration, pitch, velocity, voice) {
    this.takes.get(number)?.notes.set(index, { onset: at + this.offset, duration, pitch, velocity, voice });
  }

  told_commit(number, until) {
    const take = this.takes.get(number);
    if (take) take.until = until + this.offset;
  }

  told_clear(number, since) {
    const notes = this.takes.get(number)?.notes ?? new Map();
    for (const [index, note] of notes) if (note.onset >= since + this.offset) notes.delete(index);
  }

  told_made(number, phrase, replay) {
    const take = this.takes.get(number);
    if (take) Object.assign(take, { phrase, replay });
  }

  /** `varied`: as how many passages of a corpus the last `takes` are; -1 where that is not known. */
  told_overlap(number, light, code, p, run, work, title, licence, sentence, takes = 0, varied = -1) {
    if (varied >= 0) this.variety = { takes, varied };
    const take = this.takes.get(number);
    if (take) Object.assign(take, { light, p, run, work, title, licence, sentence });
  }

  told_failed(number, kind, reason) {
    const take = this.takes.get(number);
    if (take) take.failed = reason;
  }
}
