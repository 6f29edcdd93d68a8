// The line at the top: connection, model, corpus, and what is still being prepared.

const STATES = {
  opening: "is being opened",
  building: "is being built",
  indexing: "is being prepared",
  missing: "is not here",
  failed: "could not be made",
};

export class Status {
  constructor(find) {
    this.find = find;
    this.open = false;
    this.last = null;
  }

  link(open) {
    this.open = open;
    if (!open) this.last = null;
    this.show();
  }

  service(status) {
    this.last = status;
    this.show();
  }

  /** Whether musai can answer now. */
  get ready() {
    return this.open && Boolean(this.last?.model);
  }

  show() {
    const { find, open, last } = this;
    const state = !open ? "off" : this.ready ? "on" : "wait";
    find("link").dataset.state = state;
    find("link-text").textContent = { off: "not connected", on: "ready", wait: "warming up" }[state];
    find("about").textContent = last ? this.about(last) : "";
    const trouble = open
      ? this.trouble(last)
      : "The page cannot reach musai. If it was stopped, start it again with “musai serve”; this page will find it.";
    find("banner").hidden = !trouble;
    find("banner").textContent = trouble;
    for (const id of ["play", "nothing"]) find(id).disabled = !this.ready;
  }

  about({ model, corpora }) {
    const parts = [model ? `model ${model.name}` : "the model is being loaded"];
    for (const corpus of corpora ?? []) {
      if (corpus.state === "ready") {
        parts.push(`compared with ${corpus.name}, ${corpus.works.toLocaleString("en")} works`);
      } else if (corpus.state in STATES) {
        const share = corpus.progress > 0 ? `, ${Math.floor(corpus.progress * 100)}%` : "";
        parts.push(`the corpus ${corpus.name} ${STATES[corpus.state]}${share}`);
      }
    }
    return parts.join(" · ");
  }

  trouble(last) {
    const fault = last?.workers?.play?.fault;
    if (fault && !last.model) return `musai cannot play yet: ${fault}`;
    const failed = (last?.corpora ?? []).find((corpus) => corpus.state === "failed");
    return failed ? `The corpus ${failed.name} could not be made: ${failed.reason}` : "";
  }
}
