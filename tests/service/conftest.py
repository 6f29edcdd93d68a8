"""Real worker processes with fakes inside."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from musai.service import Service

Make = Callable[..., Service]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests of a file that leave its workers alive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2]))
        home = tmp_path_factory.mktemp("service")
        with Service(home, player="tests.service.fakes:FakePlayer.open", corpora=()) as shared:
            yield shared


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Opens services over one home; all are closed at the end."""
    # Handed on to the workers, so that they find the fakes.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    opened: list[Service] = []

    def build(player: str = "FakePlayer", **options: Any) -> Service:
        options = {"corpora": (), **options}
        fakes = "tests.service.fakes:"
        service = Service(
            tmp_path,
            player=f"{fakes}{player}.open",
            matcher=f"{fakes}FakeMatcher.open",
            builder=f"{fakes}FakePreparer",
            **options,
        )
        opened.append(service)
        return service

    yield build
    for service in opened:
        service.close()
