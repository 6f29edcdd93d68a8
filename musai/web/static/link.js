// The WebSocket to the server: messages out, events in by request, reconnecting by itself.

const LONGEST_WAIT_MS = 5000;

export class Link {
  /** `heard(event)` gets hello, status, kept, ...; `state(open)` is told of every change. */
  constructor({ heard, state }) {
    this.heard = heard;
    this.state = state;
    this.asked = new Map();
    this.last = 0;
    this.wait = 250;
    this.open = false;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/stream`);
    this.socket.onopen = () => {
      this.open = true;
      this.wait = 250;
      this.state(true);
    };
    this.socket.onmessage = (message) => {
      for (const event of JSON.parse(message.data)) this.receive(event);
    };
    this.socket.onclose = () => {
      this.open = false;
      for (const [id, told] of this.asked) {
        told({ id, event: "failed", kind: "Closed", reason: "the connection to musai was lost" });
      }
      this.asked.clear();
      this.state(false);
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    };
  }

  /** Send a message that starts something; `told` gets its events.  Returns the id. */
  ask(message, told) {
    const id = ++this.last;
    if (!this.open) {
      queueMicrotask(() =>
        told({ id, event: "failed", kind: "Closed", reason: "there is no connection to musai" }),
      );
      return id;
    }
    this.asked.set(id, told);
    this.socket.send(JSON.stringify({ ...message, id }));
    return id;
  }

  /** Send a message that only says something. */
  say(message) {
    if (this.open) this.socket.send(JSON.stringify(message));
  }

  cancel(id) {
    if (this.asked.has(id)) this.say({ do: "cancel", id });
  }

  receive(event) {
    const told = event.id === null ? null : this.asked.get(event.id);
    if (event.event === "compared" || event.event === "failed") this.asked.delete(event.id);
    if (told) told(event);
    else this.heard(event);
  }
}
