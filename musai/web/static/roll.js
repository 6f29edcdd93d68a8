// The moving piano roll on a canvas: the human's notes are full bars, musai's are slanted and hatched.

import { pitchName } from "./beats.js";

const HEAD = 22;
const GUTTER = 40;
const BLACK = new Set([1, 3, 6, 8, 10]);
const NARROW = 560; // CSS pixels under which only two bars are shown, following the music

export class Roll {
  /**
   * `look()` gives what to draw: {grid, total, call, notes, now}, in ticks; `now` null at rest; `span`,
   * where it is there, is the part that is shown; notes of "plan" are dashed and hollow;
   * `after(scene)` is called after each drawing.
   */
  constructor(canvas, look, after) {
    Object.assign(this, { canvas, look, after });
    this.pen = canvas.getContext("2d");
    this.low = 55;
    this.high = 80;
    this.drawn = 0;
    this.running = false;
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.resize());
    this.resize();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * scale));
    this.canvas.height = Math.max(1, Math.round(box.height * scale));
    this.pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.width = box.width;
    this.height = box.height;
    const style = getComputedStyle(this.canvas);
    this.ink = (name) => style.getPropertyValue(`--${name}`).trim();
    this.hatch = this.pattern(this.ink("musai"), this.ink("musai-wash"), scale);
    this.draw();
  }

  pattern(line, ground, scale) {
    const tile = new OffscreenCanvas(6 * scale, 6 * scale);
    const pen = tile.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = ground;
    pen.fillRect(0, 0, 6, 6);
    pen.strokeStyle = line;
    pen.lineWidth = 1.8;
    for (const x of [-6, 0, 6]) {
      pen.beginPath();
      pen.moveTo(x - 1, 7);
      pen.lineTo(x + 7, -1);
      pen.stroke();
    }
    const made = this.pen.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix().scale(1 / scale));
    return made;
  }

  /** Draw on every frame until `stop`. */
  run() {
    if (this.running) return;
    this.running = true;
    const frame = () => {
      if (!this.running) return;
      this.draw();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    this.running = false;
    this.draw();
  }

  draw() {
    const { pen, width, height } = this;
    const scene = this.look();
    this.fit(scene.notes);
    pen.clearRect(0, 0, width, height);
    this.span = this.visible(scene);
    this.row = (height - HEAD) / (this.high - this.low + 1);
    this.ground(scene);
    this.drawn = 0;
    for (const note of scene.notes) this.note(note, scene.now);
    this.playhead(scene);
    this.after(scene);
  }

  /** Widen the range of pitches to what sounds; it never jumps back while something is shown. */
  fit(notes) {
    if (!notes.length) return;
    const pitches = notes.map((note) => note.pitch);
    let low = Math.min(...pitches) - 2;
    let high = Math.max(...pitches) + 2;
    const lack = Math.max(0, 24 - (high - low));
    low -= Math.floor(lack / 2);
    high += Math.ceil(lack / 2);
    this.low += (low - this.low) * (this.running ? 0.18 : 1);
    this.high += (high - this.high) * (this.running ? 0.18 : 1);
  }

  visible(scene) {
    if (scene.span) return scene.span;
    const bar = scene.grid.barTicks;
    if (this.width >= NARROW || scene.total <= 2 * bar) return [0, scene.total];
    const middle = scene.now ?? 0;
    const first = Math.min(Math.max(0, middle - 0.6 * bar), scene.total - 2 * bar);
    return [first, first + 2 * bar];
  }

  x(tick) {
    const [first, last] = this.span;
    return GUTTER + ((tick - first) / (last - first)) * (this.width - GUTTER - 6);
  }

  y(pitch) {
    return HEAD + (this.high - pitch) * this.row;
  }

  ground({ grid, total, call }) {
    const { pen, width, height } = this;
    pen.fillStyle = this.ink("card");
    pen.fillRect(GUTTER, HEAD, width - GUTTER, height - HEAD);
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, HEAD, width - GUTTER, height - HEAD);
    pen.clip();
    pen.fillStyle = this.ink("key");
    for (let pitch = Math.floor(this.low); pitch <= this.high + 1; pitch++) {
      if (BLACK.has(((pitch % 12) + 12) % 12)) {
        pen.fillRect(GUTTER, this.y(pitch), width, this.row);
      }
    }
    if (call > 0 && call < total) {
      pen.globalAlpha = 0.35;
      pen.fillStyle = this.ink("musai-wash");
      pen.fillRect(this.x(call), HEAD, width, height);
      pen.globalAlpha = 1;
    }
    pen.restore();
    this.lines(grid, total);
    this.names();
  }

  lines(grid, total) {
    const { pen, height } = this;
    pen.font = "600 11px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.textBaseline = "alphabetic";
    for (let tick = 0; tick <= total; tick += grid.beatTicks) {
      const x = this.x(tick);
      if (x < GUTTER - 1) continue;
      const bar = tick % grid.barTicks === 0;
      pen.strokeStyle = this.ink(bar ? "soft" : "line");
      pen.lineWidth = bar ? 1 : 0.75;
      pen.beginPath();
      pen.moveTo(x, bar ? HEAD - 5 : HEAD);
      pen.lineTo(x, height);
      pen.stroke();
      if (bar && tick < total) {
        pen.fillStyle = this.ink("soft");
        pen.fillText(String((grid.first ?? 0) + tick / grid.barTicks + 1), x + 4, HEAD - 7);
      }
    }
  }

  names() {
    const { pen } = this;
    pen.font = "600 10px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillStyle = this.ink("soft");
    for (let pitch = Math.ceil(this.low); pitch <= this.high; pitch++) {
      if (pitch % 12 === 0) pen.fillText(pitchName(pitch), GUTTER - 6, this.y(pitch) + this.row / 2);
    }
  }

  note({ who, onset, duration, pitch }, now) {
    const left = Math.max(this.x(onset), GUTTER);
    const right = this.x(onset + duration) - 1;
    if (right <= GUTTER || left >= this.width) return;
    this.drawn += 1;
    const { pen } = this;
    const wide = Math.max(4, right - left);
    const tall = Math.max(4, this.row - 2);
    const y = this.y(pitch) + (this.row - tall) / 2;
    const sounding = now !== null && now >= onset && now < onset + duration;
    const planned = who === "plan";
    const heard = !planned && (now === null || now >= onset);
    pen.globalAlpha = heard ? 1 : 0.55;
    pen.beginPath();
    if (who === "human") pen.roundRect(left, y, wide, tall, Math.min(4, tall / 2));
    else slanted(pen, left, y, wide, tall);
    pen.fillStyle = who === "human" ? this.ink("human") : planned ? this.ink("card") : this.hatch;
    pen.fill();
    pen.strokeStyle = this.ink(planned ? "musai" : who);
    pen.lineWidth = sounding ? 3 : 1.4;
    pen.setLineDash(planned ? [4, 3] : []);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  playhead({ now, total }) {
    if (now === null || now < 0 || now > total) return;
    const { pen, height } = this;
    const x = this.x(now);
    pen.strokeStyle = pen.fillStyle = this.ink("ink");
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x, HEAD - 6);
    pen.lineTo(x, height);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x - 5, HEAD - 12);
    pen.lineTo(x + 5, HEAD - 12);
    pen.lineTo(x, HEAD - 4);
    pen.fill();
  }
}

/** A bar with slanted ends: musai's shape. */
function slanted(pen, x, y, wide, tall) {
  const lean = Math.min(5, wide / 3, tall / 2);
  pen.moveTo(x + lean, y);
  pen.lineTo(x + wide, y);
  pen.lineTo(x + wide - lean, y + tall);
  pen.lineTo(x, y + tall);
  pen.closePath();
}
