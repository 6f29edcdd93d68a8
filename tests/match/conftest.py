"""One shelf of tunes, matched by everybody who does not change it."""

import sys
from pathlib import Path

import pytest

# The helpers beside the tests; the tests folder is no package.
sys.path.insert(0, str(Path(__file__).parent))

import made

from musai.match import Matcher


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> made.Shelf:
    music = {f"tune {k}": made.tune(1000 + k, 50 + k) for k in range(40)}
    music |= {f"quartet {k}": made.quartet(k) for k in range(6)}
    return made.Shelf(tmp_path_factory.mktemp("shelf"), music)


@pytest.fixture(scope="session")
def matcher(shelf: made.Shelf) -> Matcher:
    return Matcher.open(shelf, null="there")
