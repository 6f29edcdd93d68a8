"""One token an attribute: the same things are asked, each once, and the same bits are counted."""

import numpy as np
import torch

from musai.quality.plain import BARLINE, FIELDS, Plain, tokens_of
from musai.transformer import data
from musai.transformer import vocabulary as v
from musai.transformer.data import Sample, encode_work, padded, rows_of
from musai.transformer.shape import Shape
from tests.transformer.models import motif
from tests.transformer.test_tuning import tune

SHAPE = Shape(width=16, layers=1, heads=2, inner=32, window=192)


def batch() -> tuple[np.ndarray, np.ndarray]:
    pieces = [encode_work(str(n), p, 0, "") for n, p in enumerate((motif(), tune(1), tune(4)))]
    parts = [
        rows_of(sample, piece, 192)
        for number, piece in enumerate(pieces)
        for sample in data.cut(piece, number, 192, None)
    ]
    return padded(parts)


def test_every_target_is_asked_once_in_its_place() -> None:
    rows, targets = batch()
    told = tokens_of(rows, targets)
    wanted = {
        (int(b), int(k), f): int(targets[b, k, f])
        for b, k in np.argwhere(targets[..., 0] >= 0)
        for f in range(4)
        if targets[b, k, f] >= 0
    }
    found = {}
    for which, place, field, event in told.asked.tolist():
        token = told.tokens[which, place] - v.OFFSETS[v.COLUMN[FIELDS[field]]]
        found[which, event, field] = int(token) - 1
    assert found == wanted
    assert len(told.asked) == len(found)


def test_a_token_is_asked_after_all_that_it_may_know_and_no_more() -> None:
    rows, targets = batch()
    told = tokens_of(rows, targets)
    for which in range(len(rows)):
        places = told.asked[told.asked[:, 0] == which][:, 1]
        assert (np.diff(places) > 0).all()
        assert places.min() > 0
    bars = (targets[..., 0] == v.BARLINE).sum()
    assert (told.tokens == BARLINE).sum() == bars + len(rows)  # The first bar of each is not asked.


def test_a_fresh_network_knows_nothing_and_learns_something() -> None:
    rows, targets = (torch.from_numpy(a) for a in batch())
    plain = Plain(SHAPE, 1)
    asked = int((targets[..., :4] >= 0).sum())
    with torch.no_grad():
        before = plain.field_losses(rows, targets)
    assert before.shape == (4, *rows.shape[:2])
    assert float(before.sum()) / asked == np.float32(np.log(v.ROWS)).item() or np.isclose(
        float(before.sum()) / asked, np.log(v.ROWS), rtol=1e-5
    )
    optimizer = torch.optim.AdamW(plain.parameters(), 1e-2)
    for _ in range(30):
        loss = plain.field_losses(rows, targets).sum() / asked
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.6 * np.log(v.ROWS)


def test_what_comes_later_changes_nothing_before_it() -> None:
    rows, targets = batch()
    cut = rows.copy()
    cut[0, 12:, v.COLUMN["pitch"]] = np.where(cut[0, 12:, v.COLUMN["pitch"]] > 0, 50, 0)
    plain = Plain(SHAPE, 1)
    with torch.no_grad():
        plain.weight("head").normal_(generator=torch.Generator().manual_seed(1))
        one = plain.field_losses(torch.from_numpy(rows), torch.from_numpy(targets))
        other = plain.field_losses(torch.from_numpy(cut), torch.from_numpy(targets))
    assert torch.equal(one[:, 0, :10], other[:, 0, :10])


def test_a_sample_that_is_cut_in_the_middle_asks_for_no_end() -> None:
    piece = encode_work("a", tune(2), 0, "")
    rows, targets = rows_of(Sample(0, 0, 2, 0, 6), piece, 192)
    told = tokens_of(rows[None], targets[None])
    assert told.asked[-1, 3] == len(rows) - 1  # The bar line that follows is asked for in both.
    short = tokens_of(rows[None, :-3], targets[None, :-3])
    assert short.asked[:, 3].max() == len(rows) - 5
