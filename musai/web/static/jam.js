// The conductor: count-in, the human's bars, musai's bars, and what follows.

import { Grid } from "./beats.js";
import { score } from "./tidy.js";

const TICK_MS = 15;
const START_DELAY = 0.15; // seconds between pressing play and the first click
const SOON = 0.12; // seconds from the first note's arrival to its sound, outside the grid
const CLOSE = 0.08; // seconds before the bar line at which the answer is handed to the scheduler
const TOO_LATE = 0.02; // a first note later than this moves the answer by a bar
const EARLY = 0.6; // share of a beat before the first bar line that already counts
const EARLY_TURN = 0.1; // seconds before a turn within a jam that already count

export class Jam {
  /**
   * `audio`, `scheduler`, `hands`, `asker`: the instruments.  `settings()` gives the values to
   * play with.  `show` is told what happens: phase, turn, say, take.
   */
  constructor({ audio, scheduler, hands, asker, settings, show }) {
    Object.assign(this, { audio, scheduler, hands, asker, settings, show });
    this.phase = "idle"; // idle, count, call, answer
    this.turn = null;
    /** One row a turn: when the answer was due, where it began, how late any note was. */
    this.record = [];
  }

  get busy() {
    return this.phase !== "idle";
  }

  /** Count in, then record the human's bars. */
  async call() {
    this.stop();
    await this.audio.wake();
    const wishes = this.settings();
    const grid = new Grid(wishes.tempo, wishes.signature, 0);
    this.begin(wishes, grid.at(this.audio.now + START_DELAY + grid.barSeconds), true);
  }

  begin(wishes, grid, counted) {
    const length = grid.barTicks * wishes.bars;
    this.turn = {
      wishes, grid, length, call: length, human: [], asked: null, key: null,
      answer: blank(length),
    };
    const { turn } = this;
    const early = counted ? EARLY * grid.beatTicks * grid.secondsPerTick : EARLY_TURN;
    this.hands.record(grid.time(0) - early, grid.time(length) - 0.02, !counted);
    if (counted) this.clicks(-grid.barTicks, 0);
    if (wishes.click) this.clicks(0, 2 * length);
    this.enter(counted ? "count" : "call");
    this.show.turn(turn);
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  clicks(first, last) {
    const { grid } = this.turn;
    for (let tick = first; tick < last; tick += grid.beatTicks) {
      const strong = ((tick % grid.barTicks) + grid.barTicks) % grid.barTicks === 0;
      this.scheduler.add({ who: "click", when: grid.time(tick), strong });
    }
  }

  enter(phase) {
    this.phase = phase;
    this.show.phase(phase, this.turn);
  }

  /** Look at the audio clock and do what is due. */
  tick() {
    const { turn } = this;
    if (!turn) return;
    const { grid } = turn;
    const now = this.audio.now;
    if (this.phase === "count" && now >= grid.time(0)) this.enter("call");
    if (this.phase === "call") {
      const end = grid.time(turn.call);
      if (now >= end - this.asker.lead) this.draft(end - now);
      if (now >= end - CLOSE) this.close();
    }
    if (this.phase === "answer") {
      const end = grid.time(turn.answer.at + turn.length);
      const arm = this.goesOn(turn) && !this.hands.played && now >= end - EARLY_TURN;
      if (arm) this.hands.record(end - EARLY_TURN, Infinity, false);
      if (now >= end) this.finish();
    }
  }

  /** The notes so far as a score; the bar line ends what still sounds. */
  scored() {
    const { turn } = this;
    return score(this.hands.played ?? [], turn.grid, turn.call, turn.wishes.tidy);
  }

  /** Ask with what was played so far, again if more was played and there is still time. */
  draft(left) {
    const { turn } = this;
    const human = this.scored();
    if (!human.length) return;
    const key = JSON.stringify(human);
    if (key === turn.key) return;
    if (turn.asked && left < this.asker.delay(0.5) + 0.03) return;
    turn.key = key;
    turn.human = human;
    turn.answer = blank(turn.call);
    turn.asked = this.asker.ask(
      {
        do: "ask", notes: human, length: turn.call, seed: seed(), bars: turn.wishes.bars,
        tempo: turn.wishes.tempo, signature: turn.wishes.signature, key: turn.wishes.key,
        temperature: turn.wishes.temperature,
      },
      (event, asked) => this.hear(turn, event, asked),
    );
  }

  /** The human's bars are over.  An answer in time goes before one that heard the very last note. */
  close() {
    const { turn } = this;
    if (!turn.asked) this.draft(Infinity);
    turn.unheard = turn.key !== null && turn.key !== JSON.stringify(this.scored());
    this.hands.played = null;
    if (!turn.asked) {
      this.stop();
      this.show.say(
        "No notes this time. Play on the keys below after the count, or let musai begin.",
      );
      return;
    }
    this.enter("answer");
    this.place(turn);
    this.deliver(turn);
  }

  /** An event of the answer; what comes before the bar line waits for it. */
  hear(turn, event, asked) {
    const { answer } = turn;
    if (turn.asked !== asked) return;
    if (event.event === "started") answer.replay = event.replay_id;
    if (event.event === "sounded") {
      answer.arrived ??= this.audio.now;
      const { onset, duration, pitch, velocity, voice } = event;
      answer.notes.push({ onset, duration, pitch, velocity, voice, placed: false });
    }
    if (event.event === "finished") {
      Object.assign(answer, { phrase: event.phrase_id, replay: event.replay_id, done: true });
    }
    if (event.event === "finished" || event.event === "compared") answer.news.push(event);
    if (event.event === "failed") {
      this.fail(turn, event);
      return;
    }
    const early = turn === this.turn && this.phase === "call";
    if (early) return;
    if (turn === this.turn && this.phase === "answer") this.place(turn);
    this.deliver(turn);
  }

  /** Tell what became of an answer that is being used, and not only a draft. */
  deliver(turn) {
    if (turn.answer.done) this.asker.settle(turn.asked);
    for (const event of turn.answer.news.splice(0)) {
      if (event.event === "finished") this.show.take(turn, event);
      else this.show.compared(turn, event);
    }
    this.show.turn(turn);
  }

  /** Schedule what has arrived.  The first note decides: in time, or from the next bar on. */
  place(turn) {
    const { answer, grid } = turn;
    for (const note of answer.notes) {
      if (note.placed) continue;
      let when = grid.time(answer.at + note.onset);
      const fresh = !answer.notes.some((other) => other.placed);
      while (fresh && when < this.audio.now - TOO_LATE) {
        answer.at += grid.barTicks;
        answer.moved += 1;
        if (turn.wishes.click) this.clicks(answer.at + turn.length - grid.barTicks, answer.at + turn.length);
        when = grid.time(answer.at + note.onset);
      }
      if (fresh) this.began(turn);
      note.placed = true;
      this.scheduler.add({
        who: "musai", pitch: note.pitch, velocity: note.velocity, when,
        duration: note.duration * grid.secondsPerTick,
      });
    }
  }

  began(turn) {
    const { answer, grid, asked } = turn;
    this.record.push({
      due: grid.time(turn.call), begins: grid.time(answer.at), moved: answer.moved,
      spare: grid.time(turn.call) - answer.arrived, delay: asked.first,
    });
    if (answer.moved) {
      const bars = answer.moved === 1 ? "one bar" : `${answer.moved} bars`;
      this.show.say(`musai needed longer than usual and comes in ${bars} later.`);
    } else if (turn.unheard) {
      this.show.say("musai answers. Your very last note came too late for it to hear.");
    } else this.show.say("musai answers.");
  }

  /** The answer has been heard; take turns, or rest. */
  finish() {
    const { turn } = this;
    if (!turn.answer.notes.length && !turn.answer.done) return; // still waiting for the first note
    if (this.goesOn(turn)) {
      const wishes = this.settings();
      const origin = turn.grid.time(turn.answer.at + turn.length);
      this.begin(wishes, new Grid(wishes.tempo, wishes.signature, origin), false);
      this.show.say("Your turn.");
      return;
    }
    this.rest();
    this.show.done(turn);
  }

  /** Whether the human's next turn follows. */
  goesOn(turn) {
    return turn.wishes.loop && this.settings().loop && turn.call > 0;
  }

  fail(turn, event) {
    this.asker.settle(turn.asked);
    if (turn !== this.turn) return;
    this.stop();
    this.show.say(kind(event));
  }

  /** An answer outside the grid: from nothing, again, or a replay.  It begins when it is here. */
  async play(message, { human = [], call = 0, wishes = this.settings() } = {}) {
    this.stop();
    await this.audio.wake();
    const grid = new Grid(wishes.tempo, wishes.signature, Infinity);
    const length = grid.barTicks * wishes.bars;
    const answer = blank(call);
    this.turn = { wishes: { ...wishes, loop: false, click: false }, grid, length, call, human, answer };
    const { turn } = this;
    this.enter("answer");
    this.show.turn(turn);
    turn.asked = this.asker.ask(message, (event, asked) => {
      if (event.event === "sounded" && turn.grid.origin === Infinity) {
        const start = this.audio.now + SOON;
        turn.grid = turn.grid.at(start - turn.call * turn.grid.secondsPerTick);
      }
      this.hear(turn, event, asked);
    });
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  /** Hear a finished turn again from its beginning, both sides; nothing is asked. */
  async hearBoth(turn) {
    this.stop();
    await this.audio.wake();
    const grid = turn.grid.at(this.audio.now + SOON);
    this.turn = { ...turn, grid, wishes: { ...turn.wishes, loop: false } };
    for (const [onset, duration, pitch, velocity] of turn.human) {
      this.add("human", grid, onset, duration, pitch, velocity);
    }
    for (const note of turn.answer.notes) {
      this.add("musai", grid, turn.answer.at + note.onset, note.duration, note.pitch, note.velocity);
    }
    this.enter("answer");
    this.show.turn(this.turn);
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  add(who, grid, onset, duration, pitch, velocity) {
    const length = duration * grid.secondsPerTick;
    this.scheduler.add({ who, pitch, velocity, when: grid.time(onset), duration: length });
  }

  /** Silence, at once; an answer still being made is dropped. */
  stop() {
    this.asker.drop();
    this.scheduler.clear();
    this.hands.release();
    this.hands.played = null;
    this.rest();
  }

  rest() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.phase !== "idle") this.enter("idle");
  }
}

/** An answer of which nothing has come yet, to begin at a tick. */
function blank(at) {
  return { at, notes: [], news: [], moved: 0, arrived: null, phrase: null, replay: null, done: false };
}

/** A seed of 31 bits, so that no take is ever the same by accident. */
function seed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
}

function kind(event) {
  if (event.kind === "Cancelled") return "Stopped.";
  if (event.kind === "Closed") return "The connection to musai was lost. It is being sought again.";
  return `musai could not answer: ${event.reason}`;
}
