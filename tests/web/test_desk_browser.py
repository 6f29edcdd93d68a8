"""Chromium at the desk: keys alone, narrow and wide, light and dark, sound, files dropped."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from musai.web import PageServer, create_app
from osc_bridge.jam_steps import TICKS, to_line
from tests.osc_bridge.jam_world import World
from tests.report.fixtures import QUOTE
from tests.web import axe
from tests.web.browser import Page
from tests.web.deskservice import DeskService

pytestmark = [pytest.mark.host("chromium", "chromedriver"), pytest.mark.timeout(900)]


class AtDesk:
    """A browser at a desk with one match in it."""

    def __init__(self, page: Page, service: DeskService, url: str) -> None:
        self.page, self.driver, self.service = page, page.driver, service
        self.url = url.rstrip("/")
        self.phrase = service.world.file(QUOTE, "eine Datei.mid")
        service.world.match(self.phrase)
        self.made = service.world.phrase()
        self.work = service.world.work().id
        jam = World()
        jam.start()
        jam.play(*range(60, 68))
        jam.run(TICKS)
        for line in (b'{"session": "evening"}', *map(to_line, jam.entries)):
            service.jams.write(1, line)

    @property
    def places(self) -> list[str]:
        work = f"/catalogue/reels/{self.work}"
        match = f"/match/{self.phrase}"
        return [
            *("/", "/catalogue", "/catalogue/import", "/catalogue/duplicates", work),
            *(f"{work}/takedown", "/catalogue/takedowns", "/match", match, f"{match}/{self.work}"),
            *("/judgements", "/sessions", "/sessions/tuesday", "/reports", "/models"),
            *("/models/tunebook", "/changes", "/reviewer", "/api/", "/nothing-here"),
            *("/jams", "/jams/1"),
        ]

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.press(key)

    def tab_to(self, words: str, most: int = 60) -> None:
        """Press Tab until the focused element says this."""
        for _ in range(most):
            self.press(Keys.TAB)
            here = self.driver.switch_to.active_element
            said = here.text or here.get_attribute("value") or here.get_attribute("name") or ""
            # A region that scrolls is a stop too, and its text is all that it holds.
            if here.tag_name in ("a", "button", "input") and re.search(words, said):
                return
        raise AssertionError(f"Tab never came to {words!r}")


@pytest.fixture
def desk(browser: Page, tmp_path: Path) -> Iterator[AtDesk]:
    service = DeskService(tmp_path)
    axe.look(browser.driver, 1280, False)
    with PageServer(create_app(service), 0) as server:
        browser.driver.get(server.url)
        browser.driver.delete_all_cookies()
        yield AtDesk(browser, service, server.url)
        errors = [e for e in browser.errors if "favicon" not in e and "/nothing-here" not in e]
        browser.driver.get("about:blank")
    service.close()
    assert errors == []


def test_no_page_is_wider_than_its_screen(desk):
    for width in (1280, 360):
        for dark in (False, True):
            axe.look(desk.driver, width, dark)
            for path in desk.places:
                desk.open(path)
                over = desk.page.js("document.documentElement.scrollWidth - window.innerWidth")
                assert over <= 0, (path, width, over)


def test_axe_finds_no_serious_fault(desk):
    if not axe.SCRIPT.is_file():
        pytest.skip("no axe-core here (npm install --no-save --prefix .clean/axe axe-core@4)")
    found = {}
    for width, dark in ((1280, False), (360, True)):
        axe.look(desk.driver, width, dark)
        for path in desk.places:
            desk.open(path)
            if faults := axe.faults(desk.driver):
                found[(path, width)] = faults
    assert found == {}


def test_keys_alone_lead_from_the_list_to_a_judgement(desk):
    desk.open("/match")
    desk.press(Keys.TAB)
    assert desk.driver.switch_to.active_element.text == "To the content"
    desk.tab_to("eine Datei")
    desk.press(Keys.ENTER)
    desk.page.until(
        f"location.pathname === '/match/{desk.phrase}' && document.readyState === 'complete'"
    )
    desk.tab_to("^Compare")
    desk.press(Keys.ENTER)
    desk.page.until("window.musaiPlayers && document.readyState === 'complete'")
    desk.press("3")
    desk.page.until("window.musaiPlayers?.[0].scheduler.log.length > 4")
    desk.press(Keys.ESCAPE)
    assert desk.page.js("window.musaiPlayers[0].scheduler.waiting.length") == 0
    desk.driver.find_element(By.NAME, "mark").send_keys(Keys.SPACE)
    desk.driver.find_element(By.NAME, "who").send_keys("Ada", Keys.ENTER)
    desk.page.until("document.querySelector('#judgement .tag')?.textContent === 'relevant'")
    assert desk.service.history.judgements()[0].who == "Ada"


def test_every_stop_of_the_tab_key_can_be_seen(desk):
    desk.open(f"/match/{desk.phrase}/{desk.work}")
    for _ in range(25):
        desk.press(Keys.TAB)
        width = desk.page.js(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " const p = getComputedStyle(e.closest('.choice, label.button') ?? e);"
            " return e === document.body ? 9 : Math.max(parseFloat(s.outlineWidth), parseFloat(p.outlineWidth)); })()"
        )
        assert width >= 2


def test_both_sides_sound_together_and_a_line_moves_over_them(desk):
    desk.open(f"/match/{desk.phrase}/{desk.work}")
    desk.driver.find_element(By.CSS_SELECTOR, "[data-play=ab]").click()
    desk.page.until("document.querySelector('#rolls .playhead')")
    who = desk.page.until(
        "(() => { const who = new Set(window.musaiPlayers[0].scheduler.log.map((e) => e.who));"
        " return who.size > 1 && [...who]; })()"
    )
    assert set(who) == {"human", "musai"}
    first = desk.page.js("document.querySelector('#rolls .playhead').getAttribute('x1')")
    desk.page.until(f"document.querySelector('#rolls .playhead')?.getAttribute('x1') !== '{first}'")
    desk.press(Keys.ESCAPE)


def test_the_work_stands_and_sounds_in_its_own_key_on_request(desk):
    desk.open(f"/match/{desk.phrase}/{desk.work}?own=yes")
    box = desk.driver.find_element(By.CSS_SELECTOR, "[data-own]")
    assert box.is_selected()
    box.click()
    desk.page.until("!location.search.includes('own') && document.readyState === 'complete'")
    assert not desk.driver.find_element(By.CSS_SELECTOR, "[data-own]").is_selected()


def test_a_chosen_file_is_sent_compared_and_listed_without_a_reload(desk, tmp_path):
    path = tmp_path / "neu.mid"
    path.write_bytes(QUOTE.to_midi())
    desk.open("/match")
    desk.driver.find_element(By.NAME, "files").send_keys(str(path))
    desk.page.until("document.querySelector('.drop-chosen').textContent.startsWith('1 file')")
    desk.driver.find_element(By.CSS_SELECTOR, ".drop button.primary").click()
    desk.page.until("document.querySelector('#results').textContent.includes('neu.mid')", 110)
    desk.open("/match?text=neu")
    assert "Der Müller" in desk.driver.page_source


def test_a_replay_says_identical_beside_its_button(desk):
    desk.open("/sessions/tuesday")
    desk.driver.find_element(By.CSS_SELECTOR, "[data-replay] button").click()
    desk.page.until("document.querySelector('.outcome').textContent === 'identical'")


def test_listening_first_hides_the_numbers_until_a_rating(desk):
    desk.open("/reviewer")
    desk.driver.find_element(By.NAME, "name").send_keys("Ada")
    desk.driver.find_element(By.NAME, "first").click()
    desk.driver.find_element(By.CSS_SELECTOR, "main form button.primary").click()
    desk.page.until("location.pathname === '/match' && document.readyState === 'complete'")
    desk.open(f"/match/{desk.phrase}/{desk.work}")
    assert "Three questions" not in desk.driver.page_source
    desk.driver.find_element(By.CSS_SELECTOR, "[name=likeness][value='4']").click()
    desk.driver.find_element(By.CSS_SELECTOR, ".judge button.primary").click()
    desk.page.until("document.body.textContent.includes('Three questions')")
    assert desk.service.history.judgements()[0].by_ear
