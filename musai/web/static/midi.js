// MIDI keyboards through the browser, where it has Web MIDI and the user allows it.

export class MidiIn {
  /** `say(text, askable)` is told what there is to play on. */
  constructor(hands, say) {
    this.hands = hands;
    this.say = say;
    if (!navigator.requestMIDIAccess) {
      say("This browser has no Web MIDI; the keys below do.", false);
      return;
    }
    navigator.permissions?.query({ name: "midi" }).then(
      (status) => (status.state === "granted" ? this.ask() : say("", status.state !== "denied")),
      () => say("", true),
    );
  }

  /** Ask the user for their keyboards; browsers want a click for it. */
  async ask() {
    try {
      this.access = await navigator.requestMIDIAccess();
    } catch {
      this.say("MIDI keyboards are not allowed here; the keys below are.", false);
      return;
    }
    this.access.onstatechange = () => this.open();
    this.open();
  }

  open() {
    const inputs = [...this.access.inputs.values()].filter((input) => input.state === "connected");
    for (const input of inputs) input.onmidimessage = (event) => this.hear(event);
    const names = inputs.map((input) => input.name).join(", ");
    this.say(names ? `Listening to ${names}.` : "No MIDI keyboard is plugged in.", false);
  }

  hear({ data, timeStamp }) {
    const [status, pitch, velocity] = data;
    const kind = status & 0xf0;
    if (kind === 0x90 && velocity > 0) this.hands.down(pitch, velocity, timeStamp);
    else if (kind === 0x80 || kind === 0x90) this.hands.up(pitch, timeStamp);
    else if (kind === 0xb0 && (pitch === 120 || pitch === 123)) this.hands.release();
  }
}
