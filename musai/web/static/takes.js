// The takes of this sitting: the light, what was decided, and the way back to each.

export class Takes {
  /** `shape(light)` makes the light's picture; `chosen(turn)` is called when a take is picked. */
  constructor(list, title, shape, chosen) {
    Object.assign(this, { list, title, shape, chosen });
    this.rows = new Map(); // phrase id -> row
    this.count = 0;
  }

  add(turn) {
    const { phrase } = turn.answer;
    if (this.rows.has(phrase)) return;
    this.count += 1;
    const row = document.createElement("li");
    const button = document.createElement("button");
    const light = document.createElement("span");
    const state = document.createElement("span");
    button.type = "button";
    light.className = "mark";
    state.className = "state soft";
    button.append(light, `Take ${this.count}, ${turn.answer.notes.length} notes`);
    button.addEventListener("click", () => this.chosen(turn));
    row.append(button, state);
    this.list.prepend(row);
    this.title.hidden = false;
    this.rows.set(phrase, { row, light, state });
  }

  compared(turn, event) {
    const found = this.rows.get(turn.answer.phrase);
    if (!found) return;
    found.light.replaceChildren(this.shape(event.light));
  }

  decide(phrase, decision) {
    const found = this.rows.get(phrase);
    if (!found) return;
    found.state.textContent = decision;
    found.row.dataset.state = decision;
  }

  choose(phrase) {
    for (const [id, { row }] of this.rows) {
      if (id === phrase) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }
}
