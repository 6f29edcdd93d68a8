"""A null in short, for a plot beside the verdict."""

from dataclasses import replace

import made
import numpy as np
import pytest

from musai.match import Matcher
from musai.match.nulls import Nulls
from musai.match.scores import UNITS
from musai.match.spread import QUANTILES, spread


@pytest.fixture(scope="module")
def judged(shelf, tmp_path_factory):
    matcher = Matcher.open(shelf, null="there", references=[shelf])
    folder = tmp_path_factory.mktemp("null")
    matcher.nulls = Nulls(matcher.catalogue, [matcher.catalogue], folder, size=60)
    matcher.nulls.build()
    return matcher


def test_the_spread_is_of_the_null_and_length_that_gave_p(judged):
    phrase = made.moved(made.tune(1003, 53), range(10, 26), up=2)
    verdict = judged.match(phrase).verdict
    found = spread(judged.nulls.ready, verdict, phrase)
    assert found.notes == 16
    assert len(found.quantiles) == QUANTILES
    (null,) = judged.nulls.ready
    row = null.best[int(np.flatnonzero(null.lengths == 16)[0])] / UNITS
    assert found.quantiles[0] == pytest.approx(row.min(), abs=0.01)
    assert found.quantiles[10] == pytest.approx(np.median(row), abs=0.01)
    assert found.quantiles[-1] == pytest.approx(row.max(), abs=0.01)
    assert verdict.statistic > found.quantiles[-1]


def test_there_is_none_without_a_p_or_with_another_null(judged):
    phrase = made.moved(made.tune(1003, 53), range(10, 26))
    verdict = judged.match(phrase).verdict
    ready = judged.nulls.ready
    assert spread(ready, replace(verdict, p_value=None), phrase) is None
    assert spread(ready, replace(verdict, null_reference="other"), phrase) is None
    assert spread(ready, replace(verdict, p_value=0.123), phrase) is None
