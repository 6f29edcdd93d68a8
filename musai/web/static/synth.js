// Two timbres that cannot be mistaken for one another: the human's is struck, musai's is blown.

const TIMBRES = {
  human: { wave: [0, 1, 0.42, 0.2, 0.1, 0.05, 0.03], attack: 0.004, decay: 1.4, hold: 0.0, bright: 5 },
  musai: { wave: [0, 1, 0.05, 0.34, 0.03, 0.16, 0.02, 0.08], attack: 0.022, decay: 0.25, hold: 0.62, bright: 7 },
};
const RELEASE = 0.09;
const waves = new WeakMap();

/**
 * Sound a note at `when`; without `duration` it sounds until released.  Returns the voice:
 * `release(when)` lets it fade, `stop()` silences it now.
 */
export function strike(audio, who, pitch, velocity, when, duration = null) {
  const { context } = audio;
  const timbre = TIMBRES[who];
  const start = Math.max(when, context.currentTime);
  const frequency = 440 * Math.pow(2, (pitch - 69) / 12);
  const loud = Math.pow(velocity / 127, 1.5) * 0.55 * Math.min(1, 1.35 - pitch / 160);
  const tone = new OscillatorNode(context, { frequency, periodicWave: wave(context, who) });
  const shade = new BiquadFilterNode(context, {
    type: "lowpass",
    frequency: Math.min(frequency * timbre.bright * (0.5 + velocity / 127), 16000),
    Q: 0.4,
  });
  const level = new GainNode(context, { gain: 0 });
  tone.connect(shade).connect(level).connect(audio.buses[who]);
  level.gain.setValueAtTime(0, start);
  level.gain.linearRampToValueAtTime(loud, start + timbre.attack);
  level.gain.setTargetAtTime(loud * timbre.hold, start + timbre.attack, timbre.decay / 2);
  tone.start(start);
  const voice = {
    start,
    release(at) {
      const end = Math.max(at, start + timbre.attack + 0.01);
      level.gain.cancelAndHoldAtTime?.(end);
      level.gain.setTargetAtTime(0, end, RELEASE / 3);
      tone.stop(end + RELEASE * 3);
    },
    stop() {
      const at = context.currentTime;
      level.gain.cancelScheduledValues(at);
      level.gain.setTargetAtTime(0, at, 0.008);
      tone.stop(at + 0.06);
    },
    onended(done) {
      tone.onended = () => {
        level.disconnect();
        done();
      };
    },
  };
  if (duration !== null) voice.release(start + duration);
  return voice;
}

/** A click of the metronome; the first of a bar is higher. */
export function click(audio, when, strong) {
  const { context } = audio;
  const tone = new OscillatorNode(context, { type: "triangle", frequency: strong ? 1760 : 1174 });
  const level = new GainNode(context, { gain: 0 });
  tone.connect(level).connect(audio.buses.click);
  level.gain.setValueAtTime(0, when);
  level.gain.linearRampToValueAtTime(strong ? 0.9 : 0.55, when + 0.001);
  level.gain.exponentialRampToValueAtTime(0.0005, when + 0.07);
  tone.start(when);
  tone.stop(when + 0.09);
  return { stop: () => tone.stop() };
}

function wave(context, who) {
  if (!waves.has(context)) waves.set(context, {});
  const made = waves.get(context);
  if (!made[who]) {
    const imag = new Float32Array(TIMBRES[who].wave);
    made[who] = new PeriodicWave(context, { real: new Float32Array(imag.length), imag });
  }
  return made[who];
}
