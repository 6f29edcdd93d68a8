"""The whole way over `musai serve` itself in Chromium, on real music: import, match, compare, judge, export.

The music is 715 songs where they lie beside the checkout (../shared/data), and else
tunes that music21 ships; the files are works of it in another key, a tenth of their notes changed.
"""

import csv
import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from musai.corpus.tunebook import music21_root
from musai.music import Phrase
from tests.bench import desk_music
from tests.bench.server import running
from tests.cli.conftest import write_model
from tests.web.browser import Page, chromium

pytestmark = [pytest.mark.host("chromium", "chromedriver"), pytest.mark.timeout(900)]

NOTES = 250


class Desk:
    """A browser at a running server, and files on their way."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.driver, self.url = page, page.driver, url.rstrip("/")

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def data(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return bytes(answer.read())

    def json(self, path: str) -> Any:
        return json.loads(self.data(path))

    def drop(self, paths: list[Path]) -> None:
        """Files let go over the page, as from a window beside the browser's."""
        box = self.page.js(
            "(({x, y, width}) => [x + width / 2, y + 20])"
            "(document.querySelector('[data-drop]').getBoundingClientRect())"
        )
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.driver.execute_cdp_cmd(
                "Input.dispatchDragEvent", {"type": kind, "x": box[0], "y": box[1], "data": data}
            )
        number = f"{len(paths)} file"
        self.page.until(
            f"document.querySelector('.drop-chosen').textContent.startsWith('{number}')"
        )

    def press(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def job(self, kind: str, seconds: float = 400) -> dict[str, Any]:
        """The newest job of a kind, once it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [job for job in self.json("/api/jobs") if job["kind"] == kind]
            if found and found[0]["state"] not in ("waiting", "running"):
                return dict(found[0])
            time.sleep(0.1)
        raise AssertionError(f"no job of kind {kind} ended")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    write_model(home / "models" / "random")
    with running(home, "random", "--corpus", "songs") as server, chromium() as page:
        yield Desk(page, server.web)
        assert [error for error in page.errors if "favicon" not in error] == []


def archive(path: Path) -> int:
    """Music with its manifest, and one file that is none, as a ZIP archive; how many works."""
    if (desk_music.LIEDER / "manifest.csv").is_file():
        count = desk_music.archive(path)
    else:
        tunes = sorted((music21_root() / "ryansMammoth").glob("*.abc"))[:120]
        rows = [["path", "title", "licence"]]
        rows += [[f"{tune.stem}.abc", tune.stem, "LicenseRef-music21-corpus"] for tune in tunes]
        count, listed = len(tunes), io.StringIO()
        csv.writer(listed).writerows(rows)
        with zipfile.ZipFile(path, "w") as held:
            held.writestr("lieder/manifest.csv", listed.getvalue())
            for tune in tunes:
                held.write(tune, f"lieder/{tune.name}")
    with zipfile.ZipFile(path, "a") as held:
        held.writestr("lieder/noise.mid", b"no music")
    return count


def variants(desk: Desk, folder: Path, most: int) -> dict[str, str]:
    """Works of the corpus in another key with a tenth of their notes changed: file -> work id."""
    rng = np.random.Generator(np.random.Philox(7))
    folder.mkdir()
    rows = desk.json("/api/corpora/songs/works?sort=notes&descending=true&limit=200")["rows"]
    made = {}
    for number, row in enumerate(rows[:: max(1, len(rows) // most)][:most]):
        phrase = Phrase.from_midi(desk.data(f"/api/corpora/songs/works/{row['id']}/midi"))
        path = folder / f"draft-{number:02}.mid"
        path.write_bytes(desk_music.changed(phrase, NOTES, rng).to_midi())
        made[path.name] = row["id"]
    return made


def test_from_the_catalogue_to_the_evidence(desk: Desk, tmp_path: Path) -> None:
    page = desk.page
    sent = tmp_path / "songs.zip"
    works = archive(sent)
    desk.open("/catalogue/import")
    desk.drop([sent])
    desk.driver.find_element(By.NAME, "corpus").send_keys("songs")
    desk.driver.find_element(By.NAME, "who").send_keys("Ada")
    desk.press(".drop button.primary")
    page.until("location.pathname.startsWith('/jobs/')", 60)
    job = desk.job("import")
    left = dict(job["failures"])
    assert job["result"]["added"] + job["result"]["already"] + len(left) == works + 1
    assert job["result"]["added"] >= 0.95 * works
    assert "does not list it" in left["noise.mid"]
    page.until("document.body.textContent.includes('noise.mid')", 30)
    # What failed is told while it runs; the page as it is at the end comes a moment after.
    page.until("document.querySelector('form[action=\"/catalogue/use\"] button')", 60)
    desk.press("form[action='/catalogue/use'] button")
    page.until("location.pathname === '/match'", 30)

    drafts = variants(desk, tmp_path / "drafts", 50)
    desk.open("/match")
    desk.drop([tmp_path / "drafts" / name for name in drafts])
    desk.driver.find_element(By.NAME, "session").send_keys("drafts")
    desk.press(".drop button.primary")
    job = desk.job("match")
    assert len(job["result"]["phrases"]) == len(drafts)
    rows = desk.json("/api/phrases?session=drafts&order=evidence&limit=100")["rows"]
    nearest = {row["name"]: row["nearest_work"] for row in rows}
    found = sum(nearest[name] == work for name, work in drafts.items())
    assert found >= 0.9 * len(drafts), f"{found} of {len(drafts)}"

    desk.open("/match?session=drafts")
    desk.press("table.results tbody a")
    page.until("document.querySelector('table.hits a.button')", 30)
    desk.press("table.hits a.button")
    page.until("window.musaiPlayers && document.readyState === 'complete'", 30)
    assert page.js("document.querySelectorAll('#rolls svg rect').length") > 20
    assert page.js("document.querySelectorAll('.three .card').length") == 3
    assert "LicenseRef" in desk.driver.page_source or "CC0-1.0" in desk.driver.page_source
    page.press("3")
    page.until("window.musaiPlayers[0].scheduler.log.length > 2")
    page.press("\ue00c")
    desk.press("[name=likeness][value='5']")
    desk.press("[name=mark][value=relevant]")
    desk.driver.find_element(By.NAME, "who").send_keys("Ada")
    desk.press(".judge button.primary")
    page.until("document.querySelector('#judgement .tag')?.textContent === 'relevant'", 30)
    desk.open("/match?session=drafts&mark=relevant")
    assert len(desk.driver.find_elements(By.CSS_SELECTOR, "table.results tbody tr")) == 1

    desk.open("/sessions/drafts")
    files = {}
    for word, kind in (("page", "html"), ("PDF", "pdf"), ("table (CSV)", "csv"), ("JSON", "json")):
        desk.open("/sessions/drafts")
        desk.press(f".exports button[value={kind}]")
        page.until("location.pathname.startsWith('/jobs/')", 60)
        job = desk.job("report")
        assert job["state"] == "done", (word, job["error"])
        files[kind] = desk.data(f"/api/jobs/{job['id']}/file")
    assert 10_000 < len(files["html"]) < 5_000_000
    assert files["pdf"].startswith(b"%PDF")
    assert len(json.loads(files["json"])["entries"]) == len(drafts)
    table = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert any("relevant" in row.values() for row in table)
