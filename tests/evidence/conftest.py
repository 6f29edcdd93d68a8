"""A home of its own for each test, and one bundle that tests copy before they touch it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.makers import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = Home(tmp_path / "home")
    yield made
    made.ledger.close()
