// The desk's pages work without scripts; with them files can be dropped, queues move, notes sound.

import { drops } from "./drop.js";
import { queues } from "./jobs.js";
import { players } from "./player.js";
import { replays } from "./replay.js";

for (const control of document.querySelectorAll("[data-submit]")) {
  control.addEventListener("change", () => control.form.requestSubmit());
}
drops(document.querySelectorAll("[data-drop]"));
queues(document.querySelector("[data-jobs]"));
players(document.querySelectorAll(".player[data-sounds]"));
replays(document.querySelectorAll("[data-replay]"));
