// What was played, in seconds on the audio clock -> notes in ticks as a score would have them.

import { TICKS } from "./beats.js";

const SIXTEENTH = TICKS / 4;
const TRIPLET = TICKS / 3;

/**
 * Notes with whole ticks, inside [0, length), in order.  With `tidy` each quarter's onsets go to
 * sixteenths, or to triplets where those fit clearly better; without, to the nearest tick.
 * A note struck just before the first bar line belongs to it; one struck so late that it belongs
 * to the bar line after the end is left out.
 */
export function score(played, grid, length, tidy) {
  const raw = played.map((note) => ({
    onset: grid.tick(note.on),
    end: grid.tick(note.off ?? grid.time(length)),
    pitch: note.pitch,
    velocity: note.velocity,
  }));
  const step = tidy ? steps(raw) : null;
  const notes = [];
  for (const note of raw) {
    const unit = step ? step.get(quarter(note.onset)) : 1;
    const onset = Math.max(0, Math.round(note.onset / unit) * unit);
    if (onset >= length) continue;
    const least = tidy ? unit : 1;
    const end = Math.min(length, Math.max(onset + least, Math.round(note.end / unit) * unit));
    notes.push([onset, end - onset, note.pitch, note.velocity]);
  }
  return untangled(notes);
}

function quarter(tick) {
  return Math.floor((tick + SIXTEENTH / 2) / TICKS);
}

/** The step of each quarter: 160 where triplets halve the deviation, else 120. */
function steps(raw) {
  const groups = new Map();
  for (const note of raw) {
    const at = quarter(note.onset);
    groups.set(at, [...(groups.get(at) ?? []), note.onset]);
  }
  const chosen = new Map();
  for (const [at, onsets] of groups) {
    const off = (unit) =>
      onsets.reduce((sum, x) => sum + Math.abs(x - Math.round(x / unit) * unit), 0);
    chosen.set(at, onsets.length > 1 && off(TRIPLET) < 0.5 * off(SIXTEENTH) ? TRIPLET : SIXTEENTH);
  }
  return chosen;
}

/** In order of onset and pitch; a pitch struck again ends the note before. */
function untangled(notes) {
  notes.sort((a, b) => a[0] - b[0] || a[2] - b[2] || b[1] - a[1]);
  const last = new Map();
  const kept = [];
  for (const note of notes) {
    const before = last.get(note[2]);
    if (before && before[0] === note[0]) continue;
    if (before) before[1] = Math.min(before[1], note[0] - before[0]);
    last.set(note[2], note);
    kept.push(note);
  }
  return kept;
}
