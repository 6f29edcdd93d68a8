"""`make bench-desk`: the rights holder's desk on real music, driven in a real browser.

Imports 715 songs as a folder with its manifest, matches files of about 1,000
notes, opens comparisons, judges, exports and opens the report; lists, searches
and filters a catalogue of 10,000 works; lets axe-core look at every page, that of
a running jam among them.  Raw rows in
out/bench/, one JSON object as the last line.  Needs real music beside the
checkout (../shared/data), Chromium, and axe-core (see tests/web/axe.py).
"""

import argparse
import json
import shutil
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from selenium.webdriver.common.by import By

from tests.bench import desk_music as music
from tests.bench.players import Human
from tests.bench.server import running
from tests.bench.table import OUT, Result, quantile, save_rows, show
from tests.web import axe
from tests.web.browser import Page, chromium

LOOKS = 60
"""Requests a figure of the catalogue; comparisons likewise, as far as there are matches."""


class Bench:
    """A server, a browser, and what was measured."""

    def __init__(self, url: str, osc: int, page: Page, seed: int) -> None:
        self.url, self.page, self.driver, self.seed = url.rstrip("/"), page, page.driver, seed
        self.osc = osc
        self.result = Result()
        self.rows: list[dict[str, Any]] = []

    def get(self, path: str, kind: str = "") -> bytes:
        """A page or an answer; timed under `kind`."""
        began = time.perf_counter()
        request = urllib.request.Request(self.url + path, headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            data: bytes = answer.read()
        if kind:
            ms = 1000 * (time.perf_counter() - began)
            self.rows.append({"what": kind, "path": path[:80], "ms": round(ms, 2)})
        return data

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def p95(self, kind: str) -> float:
        return quantile([row["ms"] for row in self.rows if row["what"] == kind], 0.95)

    def tell(self, what: str, value: str, wanted: str = "") -> None:
        self.result.add(what, value, wanted, "asked for" if wanted else "")
        print(f"  {what}: {value}", file=sys.stderr, flush=True)

    def job(self, kind: str, seconds: float, known: set[str]) -> dict[str, Any]:
        """The newest job of a kind that was not known before, once it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for job in self.json("/api/jobs"):
                fresh = job["kind"] == kind and job["id"] not in known
                if fresh and job["state"] not in ("waiting", "running"):
                    return dict(job)
            time.sleep(0.1)
        raise RuntimeError(f"no job of kind {kind} ended within {seconds:.0f} s")

    @property
    def jobs(self) -> set[str]:
        return {job["id"] for job in self.json("/api/jobs")}


def bring(bench: Bench, place: Path) -> None:
    """Import the songs in the browser and have files compared with them."""
    path = place / "lieder.zip"
    songs = music.archive(path)
    known = bench.jobs
    bench.driver.get(bench.url + "/catalogue/import")
    bench.driver.find_element(By.NAME, "files").send_keys(str(path))
    bench.driver.find_element(By.NAME, "corpus").send_keys("songs")
    bench.driver.find_element(By.NAME, "who").send_keys("Ada")
    began = time.perf_counter()
    bench.driver.find_element(By.CSS_SELECTOR, ".drop button.primary").click()
    job = bench.job("import", 300, known)
    seconds = time.perf_counter() - began
    added = job["result"]["added"]
    bench.tell(
        f"import of {songs} songs",
        f"{seconds:.1f} s, {added} added, {len(job['failures'])} told why not",
    )
    bench.page.until("location.pathname.startsWith('/jobs/')", 60)
    bench.driver.get(bench.url + f"/jobs/{job['id']}")
    bench.driver.find_element(By.CSS_SELECTOR, "form[action='/catalogue/use'] button").click()


def until_rated(bench: Bench, minutes: float) -> None:
    """Wait until the corpora are searched, and for their nulls as long as asked: making one takes a core."""
    began = time.monotonic()
    while True:
        rows = bench.json("/api/describe")["corpora"]
        here = {row["name"] for row in rows if row["state"] == "ready"}
        reasons = [row["reason"] for row in rows if row["reason"]]
        searched = "songs" in here and len(here) == len(rows)
        if searched and (not reasons or time.monotonic() - began > 60 * minutes):
            break
        time.sleep(1)
    told = "rated" if not reasons else f"not rated: {'; '.join(reasons)}"
    bench.tell("from import to rated matches", f"{time.monotonic() - began:.0f} s ({told})")


def match(bench: Bench, paths: list[Path], seconds: float) -> float:
    """Match files from the browser; meanwhile the page must answer."""
    known = bench.jobs
    bench.driver.get(bench.url + "/match")
    bench.driver.find_element(By.NAME, "files").send_keys("\n".join(map(str, paths)))
    began = time.perf_counter()
    bench.driver.find_element(By.CSS_SELECTOR, ".drop button.primary").click()
    stop = threading.Event()
    kind = f"page while {len(paths)} files are matched"

    def look() -> None:
        while not stop.wait(0.5):
            bench.get("/match", kind)

    looker = threading.Thread(target=look)
    looker.start()
    job = bench.job("match", seconds, known)
    took = time.perf_counter() - began
    stop.set()
    looker.join()
    found = len(job["result"]["phrases"])
    bench.tell(
        f"{found} of {len(paths)} files of 1,000 notes matched",
        f"{took:.1f} s",
        "60 s" if len(paths) == 100 else "",
    )
    bench.tell(kind + ", p95", f"{bench.p95(kind):.0f} ms")
    return took


def compare(bench: Bench) -> None:
    """Open comparisons, judge one in the browser, export."""
    rows = bench.json("/api/phrases?order=evidence&limit=50")["rows"]
    places = []
    for row in rows[:LOOKS]:
        hits = bench.json(f"/api/phrases/{row['phrase_id']}")["hits"]
        places += [(row, hit) for hit in hits if hit["aligned"]][:2]
    bench.get(f"/match/{places[0][0]['phrase_id']}/{places[0][1]['work_id']}")
    for row, hit in places[:LOOKS]:
        bench.get(f"/match/{row['phrase_id']}/{hit['work_id']}?corpus={hit['corpus']}", "compare")
    row, hit = places[0]
    bench.driver.get(
        f"{bench.url}/match/{row['phrase_id']}/{hit['work_id']}?corpus={hit['corpus']}"
    )
    bench.driver.find_element(By.CSS_SELECTOR, "[name=mark][value=relevant]").click()
    bench.driver.find_element(By.NAME, "who").send_keys("Ada")
    bench.driver.find_element(By.CSS_SELECTOR, ".judge button.primary").click()
    bench.page.until("document.querySelector('#judgement .tag')", 30)


def export(bench: Bench, place: Path) -> dict[str, float]:
    """Write the report of all files as page, PDF and table; how large the page is and how soon it opens."""
    figures = {}
    for kind in ("html", "pdf", "csv"):
        known = bench.jobs
        began = time.perf_counter()
        body = json.dumps({"kind": "session", "values": ["files"], "format": kind}).encode()
        request = urllib.request.Request(
            bench.url + "/api/reports", body, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).close()
        job = bench.job("report", 600, known)
        size = job["result"].get("bytes", 0)
        bench.tell(
            f"export of the session as {kind}",
            f"{time.perf_counter() - began:.1f} s, {size / 1e6:.2f} MB {job['error']}".strip(),
        )
        if kind == "html":
            path = place / "report.html"
            path.write_bytes(bench.get(f"/api/jobs/{job['id']}/file"))
            drawn = path.read_text("utf-8").count('<figure id="match-')
            opened = [open_ms(bench, path) for _ in range(3)]
            figures = {"report_mb": round(size / 1e6, 2), "report_open_ms": round(max(opened))}
            bench.tell("the page", f"{size / 1e6:.2f} MB", "5 MB")
            bench.tell(
                f"it opens, {drawn} matches drawn, the slowest of 3",
                f"{max(opened):.0f} ms",
                "2000 ms",
            )
    return figures


def open_ms(bench: Bench, path: Path) -> float:
    """Milliseconds from the start of the navigation until the page was loaded and two frames drawn."""
    bench.driver.get("about:blank")
    bench.driver.get(path.as_uri())
    spent = bench.driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));"
    )
    bench.rows.append({"what": "open", "path": path.name, "ms": round(spent, 2)})
    return float(spent)


def catalogue(bench: Bench) -> None:
    """List, search and filter 10,000 works, as pages."""
    words = [row["title"].split()[0] for row in music.rows()[::11]]
    bench.get("/catalogue?corpus=large")
    sorts = ("title", "composer", "owner", "notes")
    for k in range(LOOKS):
        place = (
            f"sort={sorts[k % 4]}&offset={(k * 150) % 10_000}&descending={str(k % 2 == 1).lower()}"
        )
        bench.get(f"/catalogue?corpus=large&{place}", "list")
        word = urllib.request.quote(words[k % len(words)])
        bench.get(f"/catalogue?corpus=large&search={word}", "search")
        bench.get(f"/catalogue?corpus=large&owner=Press+{k}&use=train&status=allowed", "filter")


def look_at_pages(bench: Bench) -> int:
    """Serious faults that axe finds on all pages, wide and light, narrow and dark."""
    row = bench.json("/api/phrases?order=evidence&limit=1")["rows"][0]
    hit = bench.json(f"/api/phrases/{row['phrase_id']}")["hits"][0]
    work = f"/catalogue/{hit['corpus']}/{hit['work_id']}"
    places = [
        *(
            "/",
            "/catalogue",
            "/catalogue/import",
            "/catalogue/duplicates",
            work,
            f"{work}/takedown",
        ),
        *("/match", f"/match/{row['phrase_id']}", f"/match/{row['phrase_id']}/{hit['work_id']}"),
        *("/judgements", "/sessions", "/sessions/files", "/reports", "/models", "/models/tunebook"),
        *("/changes", "/reviewer", "/api/", "/catalogue/takedowns", "/jams", "/jams/1"),
    ]
    serious = 0
    human = Human(bench.osc, seed=bench.seed, bpm=120, session="evening")
    human.start()
    for width, dark in ((1280, False), (360, True)):
        axe.look(bench.driver, width, dark)
        for path in places:
            bench.driver.get(bench.url + path)
            found = axe.faults(bench.driver)
            serious += len(found)
            for fault in found:
                print(f"  {path}: {fault}", file=sys.stderr)
    human.close()
    errors = [error for error in bench.page.errors if "favicon" not in error]
    bench.tell("pages looked at by axe-core", f"{2 * len(places)}, {serious} serious faults", "0")
    bench.tell("errors in the browser's console", str(len(errors)), "0")
    return serious


@contextmanager
def at_work(home: Path, seed: int) -> Iterator[Bench]:
    """A server with a home of its own, and a browser; how soon it answers and how large it is."""
    began = time.perf_counter()
    with running(home, None) as server:
        urllib.request.urlopen(server.web, timeout=30).close()
        first = time.perf_counter() - began
        time.sleep(5)
        size = psutil.Process(server.process.pid).memory_info().rss / 2**20
        with chromium() as page:
            bench = Bench(server.web, server.port, page, seed)
            bench.tell("from start to the first page", f"{first:.2f} s", "1.50 s")
            bench.tell("the server at rest", f"{size:.0f} MiB", "300 MiB")
            yield bench
            size = psutil.Process(server.process.pid).memory_info().rss / 2**20
            bench.tell("the server after all of it", f"{size:.0f} MiB")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=20, help="wait so long for the null")
    parser.add_argument("--files", type=int, default=100)
    chosen = parser.parse_args()
    if not axe.SCRIPT.is_file():
        sys.exit("no axe-core here: npm install --no-save --prefix .clean/axe axe-core@4")
    place = (OUT / "desk").absolute()
    home = place / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    music.large(place / "large", chosen.seed)
    shutil.copytree(place / "large", home / "corpora" / "large")
    paths = music.files(place / "files", chosen.files, 1000, chosen.seed)
    with at_work(home, chosen.seed) as bench:
        catalogue(bench)
        bring(bench, place)
        until_rated(bench, chosen.minutes)
        match(bench, paths[: chosen.files // 2], 1800)
        # The same files again would be the same job: the whole batch is another one.
        seconds = match(bench, paths, 1800)
        compare(bench)
        opened = export(bench, place)
        serious = look_at_pages(bench)
        figures = {
            "list_ms_p95": round(bench.p95("list"), 1),
            "search_ms_p95": round(bench.p95("search"), 1),
            "filter_ms_p95": round(bench.p95("filter"), 1),
            "compare_ms_p95": round(bench.p95("compare"), 1),
            f"files{chosen.files}_s": round(seconds, 1),
            "axe_serious": serious,
            **opened,
        }
        for kind, most in (("list", 100), ("search", 100), ("filter", 100), ("compare", 300)):
            bench.tell(f"{kind}, p95 of {LOOKS}", f"{bench.p95(kind):.0f} ms", f"{most} ms")
    save_rows("desk", bench.rows)
    show([bench.result])
    print(json.dumps({"seed": chosen.seed, **figures}))


if __name__ == "__main__":
    main()
