// The overlap light: a shape, a word and a number; the colour only repeats them.

export class Light {
  constructor(find, lights) {
    this.find = find;
    this.lights = lights;
  }

  waiting() {
    this.show("grey", "Comparing", "", "", "");
  }

  empty(sentence = "What the answer resembles will stand here.") {
    this.show("grey", "No answer yet", "", sentence, "");
  }

  compared(event) {
    const p = event.p_value === null ? "no p-value" : `p = ${digits(event.p_value)}`;
    const run = `longest exact run ${event.longest_run} ${event.longest_run === 1 ? "note" : "notes"}`;
    const licence = event.licence ? `, ${event.licence}` : "";
    this.show(
      event.light,
      this.lights[event.light].word,
      event.longest_run ? `${p}, ${run}` : p,
      event.sentence,
      event.title ? `Nearest work: ${event.title}${licence}` : "",
    );
  }

  show(light, word, number, sentence, nearest) {
    const { find } = this;
    find("light").className = `card light-card is-${light}`;
    find("light").dataset.light = light;
    for (const shape of find("light").querySelectorAll(".shape")) {
      shape.hidden = shape.dataset.light !== light;
    }
    find("light-word").textContent = word;
    find("light-number").textContent = number;
    find("light-sentence").textContent = sentence;
    find("light-nearest").textContent = nearest;
  }
}

/** A probability with two digits that count. */
export function digits(value) {
  return value === 0 ? "0" : String(Number(value.toPrecision(2)));
}
