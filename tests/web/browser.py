"""Chromium on the page: keys as a human presses them, and what the page says of itself."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.key_input import KeyInput
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--force-device-scale-factor=1",
    "--window-size=1280,1000",
)


TWO_BARS = [("a", 0.3, 0.05), ("d", 0.2, 0.05), ("g", 0.2, 0.05), ("k", 0.4, 0.1), ("w", 0.2, 0.05)]
"""C4 E4 G4 C5 C#4: 1.6 of the 2 seconds that two bars of 4/4 take at 240 quarters a minute."""
PITCHES = [60, 64, 67, 72, 61]


class Page:
    """The page in a browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> "Page":
        self.driver.get(url)
        self.until("document.getElementById('link').dataset.state === 'on'", 60)
        return self

    def js(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def module(self, name: str, expression: str) -> Any:
        """The value of an expression in which `m` is one of the page's modules."""
        return self.driver.execute_async_script(
            f"const done = arguments[0]; import('/static/{name}').then((m) => done({expression}))"
        )

    def until(self, expression: str, seconds: float = 20, every: float = 0.01) -> Any:
        end = time.monotonic() + seconds
        while not (value := self.js(expression)):
            assert time.monotonic() < end, f"not within {seconds} s: {expression}"
            time.sleep(every)
        return value

    def phase(self, name: str, seconds: float = 30) -> None:
        self.until(f"window.musai.jam.phase === '{name}'", seconds)

    def element(self, name: str) -> WebElement:
        return self.driver.find_element(By.ID, name)

    def text(self, name: str) -> str:
        return self.element(name).text

    def click(self, name: str) -> None:
        self.element(name).click()

    def press(self, keys: str) -> None:
        ActionChains(self.driver).send_keys(keys).perform()

    def set(self, name: str, value: Any) -> None:
        """Set a control and tell the page, as a hand on it would."""
        self.driver.execute_script(
            "const e = document.getElementById(arguments[0]);"
            "if (e.type === 'checkbox') e.checked = arguments[1]; else e.value = arguments[1];"
            "e.dispatchEvent(new Event('input', {bubbles: true}));"
            "e.dispatchEvent(new Event('change', {bubbles: true}));",
            name,
            value,
        )

    def play(self, keys: Sequence[tuple[str, float, float]]) -> None:
        """Press keys one after another: (key, seconds held, seconds until the next)."""
        hand = KeyInput("keyboard")
        actions = ActionBuilder(self.driver, keyboard=hand)
        for key, held, rest in keys:
            hand.create_key_down(key)
            hand.create_pause(held)
            hand.create_key_up(key)
            hand.create_pause(rest)
        actions.perform()

    def turn(self, keys: Sequence[tuple[str, float, float]]) -> None:
        """A whole turn from the space bar to the answer's end."""
        self.press(" ")
        self.phase("call")
        self.play(keys)
        self.phase("answer")
        self.phase("idle")

    @property
    def state(self) -> dict[str, Any]:
        """What really happened: turns, schedule, notes."""
        state: dict[str, Any] = self.js(
            "(({jam, scheduler, roll, asker}) => ({record: jam.record, log: scheduler.log,"
            " drawn: roll.drawn, human: jam.turn?.human ?? [], notes: jam.turn?.answer.notes ?? [],"
            " at: jam.turn?.answer.at, spt: jam.turn?.grid.secondsPerTick, phase: jam.phase,"
            " phrase: jam.turn?.answer.phrase, waiting: scheduler.waiting.length,"
            " sounding: scheduler.sounding.size, delays: asker.delays}))(window.musai)"
        )
        return state

    @property
    def errors(self) -> list[str]:
        """What the browser's console holds against the page."""
        return [
            row["message"] for row in self.driver.get_log("browser") if row["level"] == "SEVERE"
        ]


@contextmanager
def chromium() -> Iterator[Page]:
    """A browser with a profile of its own."""
    profile = tempfile.mkdtemp(prefix="musai-chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.set_script_timeout(20)
        yield Page(driver)
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
