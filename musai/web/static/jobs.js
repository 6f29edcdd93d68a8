// The queue: each job's card moves as the server tells, and what depends on it is fetched anew.

const REFRESH_MS = 1500;

export function queues(list) {
  if (list) new Queue(list);
}

class Queue {
  constructor(list) {
    this.list = list;
    this.last = 0;
    const one = list.dataset.jobs;
    this.source = new EventSource(one ? `/api/jobs/${one}/events` : "/api/jobs/events");
    this.source.addEventListener("job", (event) => this.heard(JSON.parse(event.data)));
    // A connection that a job's end has closed is not opened again.
    this.source.onerror = () => one && this.source.close();
    window.addEventListener("pagehide", () => this.source.close());
  }

  heard(job) {
    const card = document.getElementById(`job-${job.id}`);
    if (!card) return;
    const before = card.dataset.state;
    card.dataset.state = job.state;
    card.querySelector(".job-state").textContent = job.state;
    card.querySelector(".job-count").textContent = job.total ? `${job.done} of ${job.total}` : "";
    card.querySelector(".job-doing").textContent = job.doing;
    const bar = card.querySelector("progress");
    bar.max = Math.max(1, job.total);
    bar.value = job.done;
    const ended = !["waiting", "running"].includes(job.state);
    if (ended) card.querySelector(".job-acts form")?.remove();
    if (ended && before !== job.state) this.refresh();
    else if (!ended && performance.now() - this.last > REFRESH_MS) this.refresh();
  }

  /** Fetch this page again and put its results in the place of the old ones. */
  async refresh() {
    const place = document.querySelector("[data-refresh]");
    if (!place || place.contains(document.activeElement)) return;
    this.last = performance.now();
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = fresh.querySelector("[data-refresh]");
    if (found) place.replaceChildren(...found.childNodes);
  }
}
