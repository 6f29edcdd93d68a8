// Ticks, bars and the audio clock.  Ticks are 480 a quarter; seconds are the audio clock's.

export const TICKS = 480;

/** A steady grid: tempo in quarters a minute, a time signature, and the second of tick 0. */
export class Grid {
  constructor(tempo, signature, origin) {
    [this.numerator, this.denominator] = signature;
    this.tempo = tempo;
    this.origin = origin;
    this.secondsPerTick = 60 / tempo / TICKS;
  }

  get barTicks() {
    return (this.numerator * TICKS * 4) / this.denominator;
  }

  /** A beat is a dotted unit in compound time, as the server counts it. */
  get beatTicks() {
    const unit = (TICKS * 4) / this.denominator;
    const compound = this.denominator >= 8 && this.numerator % 3 === 0 && this.numerator > 3;
    return compound ? unit * 3 : unit;
  }

  get barSeconds() {
    return this.barTicks * this.secondsPerTick;
  }

  time(tick) {
    return this.origin + tick * this.secondsPerTick;
  }

  tick(time) {
    return (time - this.origin) / this.secondsPerTick;
  }

  /** The same grid with tick 0 at another second. */
  at(origin) {
    return new Grid(this.tempo, [this.numerator, this.denominator], origin);
  }
}

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

export function pitchName(pitch) {
  return `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}
