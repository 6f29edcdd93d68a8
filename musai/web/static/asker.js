// Asking in time: a draft shortly before the bar line, asked anew while notes still come.

const FIRST_GUESS = 0.4; // seconds from asking to the first note, before any was measured
const LEAST_LEAD = 0.14;
const MOST_LEAD = 0.9;
const KEPT = 32;

export class Asker {
  constructor(link) {
    this.link = link;
    this.current = null;
    /** Seconds from asking to the first note, newest last. */
    this.delays = [];
  }

  /** How long before a bar line to ask, so that nine answers of ten are there in time. */
  get lead() {
    return Math.min(MOST_LEAD, Math.max(LEAST_LEAD, 1.3 * this.delay(0.9) + 0.08));
  }

  /** A quantile of the delays measured so far. */
  delay(share) {
    if (!this.delays.length) return FIRST_GUESS;
    const sorted = [...this.delays].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }

  /** Ask; what was asked before and is not wanted any more is cancelled.  `told(event)` hears. */
  ask(message, told) {
    this.drop();
    const asked = { sent: performance.now(), first: null, wanted: true, phrase: null };
    this.current = asked;
    asked.id = this.link.ask(message, (event) => this.hear(asked, event, told));
    return asked;
  }

  /** Drop what is being asked; a phrase that was finished all the same is discarded. */
  drop() {
    const asked = this.current;
    if (!asked) return;
    this.current = null;
    asked.wanted = false;
    if (asked.phrase) this.link.say({ do: "discard", phrase: asked.phrase });
    else this.link.cancel(asked.id);
  }

  /** The answer is being used: it is no draft any more. */
  settle(asked) {
    if (this.current === asked) this.current = null;
  }

  hear(asked, event, told) {
    if (event.event === "finished") {
      asked.phrase = event.phrase_id;
      if (!asked.wanted) this.link.say({ do: "discard", phrase: event.phrase_id });
    }
    if (event.event === "sounded" && asked.first === null) {
      asked.first = (performance.now() - asked.sent) / 1000;
      this.delays = [...this.delays, asked.first].slice(-KEPT);
    }
    if (asked.wanted) told(event, asked);
  }
}
