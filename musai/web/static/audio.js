// The audio clock and the way to the ear: three buses, a little room, a limiter.

export class Audio {
  constructor() {
    this.context = null;
    this.volumes = { human: 0.8, musai: 0.8, click: 0.5 };
    this.buses = {};
  }

  /** Make or resume the context; browsers allow it only after a key or a click. */
  async wake() {
    if (!this.context) this.build(new AudioContext({ latencyHint: "interactive" }));
    if (this.context.state !== "running") await this.context.resume();
  }

  get now() {
    return this.context ? this.context.currentTime : 0;
  }

  /** The second that is coming out of the loudspeaker just now. */
  get heardNow() {
    return this.at(performance.now());
  }

  /**
   * The audio second that was being heard at a moment of the page's clock (an event's timeStamp):
   * what somebody plays in time with the click is in time with this.
   */
  at(moment) {
    const { context } = this;
    if (!context) return 0;
    const stamp = context.getOutputTimestamp?.();
    if (stamp && stamp.performanceTime > 0) {
      return stamp.contextTime + (moment - stamp.performanceTime) / 1000;
    }
    const latency = context.outputLatency || context.baseLatency || 0;
    return context.currentTime - latency + (moment - performance.now()) / 1000;
  }

  volume(who, value) {
    this.volumes[who] = value;
    this.buses[who]?.gain.setTargetAtTime(loudness(value), this.now, 0.02);
  }

  build(context) {
    this.context = context;
    const limiter = new DynamicsCompressorNode(context, {
      threshold: -10, knee: 8, ratio: 16, attack: 0.002, release: 0.12,
    });
    this.master = new GainNode(context, { gain: 0.9 });
    this.master.connect(limiter).connect(context.destination);
    const room = new ConvolverNode(context, { buffer: impulse(context) });
    const wet = new GainNode(context, { gain: 0.16 });
    room.connect(wet).connect(this.master);
    for (const who of ["human", "musai", "click"]) {
      const bus = new GainNode(context, { gain: loudness(this.volumes[who]) });
      bus.connect(this.master);
      if (who !== "click") bus.connect(room);
      this.buses[who] = bus;
    }
  }
}

/** A slider's place as a gain: the ear hears in powers. */
function loudness(value) {
  return value * value * 0.6;
}

/** A second of a small room: noise that dies away, the same each time (a linear congruence). */
function impulse(context) {
  const length = Math.round(context.sampleRate * 1.1);
  const buffer = new AudioBuffer({ numberOfChannels: 2, length, sampleRate: context.sampleRate });
  let state = 20260;
  for (let channel = 0; channel < 2; channel++) {
    const data = buffer.getChannelData(channel);
    for (let i = 0; i < length; i++) {
      state = (state * 1664525 + 1013904223) >>> 0;
      data[i] = (state / 2147483648 - 1) * Math.pow(1 - i / length, 3.2);
    }
  }
  return buffer;
}
