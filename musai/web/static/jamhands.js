// The controls of a running jam: shown as the jam's log says they stand, sent when somebody moves one.

import { offerKeys, temper } from "./settings.js";

const WORDS = { turn: "Its turn.", silence: "Silence." };

export class JamHands {
  /** `send(path, body)` answers with what went wrong, or nothing. */
  constructor(form, send) {
    this.form = form;
    this.send = send;
    this.state = form.querySelector(".state");
    offerKeys(form.elements.key);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("click", (event) => {
      const what = event.target.closest("[data-do]")?.dataset.do;
      if (what) this.ask(what, undefined, WORDS[what]);
    });
    form.addEventListener("change", ({ target }) => {
      const text = target.value;
      const value = text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
      this.ask("settings", { values: { [target.name]: value } }, "From the next turn on.");
    });
    form.addEventListener("input", () => this.tell());
  }

  async ask(what, body, word) {
    this.state.textContent = (await this.send(what, body)) || word;
  }

  /** The jam's parameters as they stand; what somebody has in hand stays as it is. */
  show(config) {
    const values = { ...config, temperature: 0.9, key: "default", density: "default", ...config.values };
    for (const control of this.form.elements) {
      if (!control.name || values[control.name] === undefined || control === document.activeElement) continue;
      const value = String(values[control.name]);
      if (control.options && ![...control.options].some((one) => one.value === value)) control.add(new Option(value));
      control.value = value;
    }
    this.tell();
  }

  end() {
    for (const control of this.form.elements) control.disabled = true;
  }

  tell() {
    this.form.querySelector("output").textContent = temper(Number(this.form.elements.temperature.value));
  }
}
