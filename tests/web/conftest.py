"""One browser for all tests of a file, a fresh page for each."""

from collections.abc import Iterator

import pytest

from musai.web import PageServer, create_app
from tests.web.browser import Page, chromium
from tests.web.fakes import FakeService


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as page:
        yield page


@pytest.fixture
def service() -> FakeService:
    return FakeService(delay=0.03, light="amber")


@pytest.fixture
def page(browser: Page, service: FakeService) -> Iterator[Page]:
    """A fresh page, quick: 200 quarters a minute."""
    with PageServer(create_app(service), 0) as server:
        browser.open(server.url)
        browser.set("tempo", 200)
        yield browser
        assert browser.errors == []
        browser.driver.get("about:blank")
