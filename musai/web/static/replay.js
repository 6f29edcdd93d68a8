// Replay buttons: the outcome stands beside the button, without leaving the page.

export function replays(forms) {
  for (const form of forms) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const outcome = form.querySelector(".outcome");
      const button = form.querySelector("button");
      button.disabled = true;
      outcome.textContent = "playing it again…";
      try {
        const answer = await fetch(`/api/phrases/${form.dataset.replay}/replay`, { method: "POST" });
        const told = await answer.json();
        outcome.textContent = told.outcome ?? told.detail;
      } catch {
        outcome.textContent = "musai does not answer";
      }
      button.disabled = false;
    });
  }
}
