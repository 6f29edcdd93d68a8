"""Memorization: probabilities against a slow reading, what cannot be drawn, resuming, limits."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from musai.audit import halves, recorded
from musai.audit.limits import limits_kept
from musai.audit.memorization import audit, window_of
from musai.audit.near import near_verbatim
from musai.audit.recall import recalled, sampled
from musai.audit.recorded import Audit, WorkRecall, extraction, luck, worst
from musai.audit.windows import LEAST, MOST, PREFIX, STRIDE, Window, repeats, windows
from musai.corpus import Corpus
from musai.corpus.licences import Term
from musai.errors import Altered, BadManifest, NotAllowed
from musai.report import recollections
from musai.transformer import checkpoint as ck
from musai.transformer import vocabulary as v
from musai.transformer.checkpoint import Model
from musai.transformer.data import encode_work
from musai.transformer.network import Network
from musai.transformer.sampling import nucleus
from tests.audit.takes import melody
from tests.transformer.models import SMALL, STYLES, random_weights

WIDE = replace(SMALL, window=256)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Six tunes of the user's own, one of them limited, and one too short for a window."""
    place = tmp_path_factory.mktemp("tunes")
    for seed in range(6):
        (place / f"{seed}.mid").write_bytes(melody(seed, 24).to_midi())
    (place / "short.mid").write_bytes(melody(9, 2).to_midi())
    terms = {"train": {"status": "allowed", "recall": 0.25}, "influence": "allowed"}
    rows = [{"path": "0.mid", "title": "Limited", "terms": terms}]
    rows += [{"path": f"{name}.mid", "title": f"Tune {name}"} for name in (1, 2, 3, 4, 5, "short")]
    (place / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Corpus.build(place, place / "corpus", name="tunes", mine=True)


@pytest.fixture
def model(corpus: Corpus, tmp_path: Path) -> Model:
    """A model folder whose works are the corpus's."""
    folder = tmp_path / "model"
    folder.mkdir()
    weights = random_weights(WIDE, 1)
    origin = {"works": 7, "corpus": str(corpus.path)}
    (folder / ck.WEIGHTS).write_bytes(ck.weights_bytes("m", WIDE, STYLES, origin, weights))
    recipe = 'name = "m"\ncorpus = "tunes"\nheld_out = 0.0\n[shape]\n' + "".join(
        f"{name} = {getattr(WIDE, name)}\n"
        for name in ("width", "layers", "heads", "inner", "window", "fields")
    )
    (folder / ck.RECIPE).write_text(recipe + "[schedule]\nrows_per_batch = 256\n")
    lines = [f"{work.id},x\n" for work in corpus.works]
    (folder / ck.WORKS).write_text("id,title\n" + "".join(lines))
    ck.write_sums(folder)
    return ck.load(folder)


def quiet(done: int, total: int, what: str) -> None:
    """No progress."""


def held(corpus: Corpus) -> list[Window]:
    work = next(work for work in corpus.works if work.notes > 60)
    return list(windows(encode_work(work.id, corpus.phrase(work.id), 0, "")))


def test_windows_cover_a_work_and_ask_for_what_comes_next(corpus: Corpus) -> None:
    every = held(corpus)
    assert [w.event for w in every] == [PREFIX + i * STRIDE for i in range(len(every))]
    first = every[0]
    assert len(first.rows) - first.asked == MOST
    said = first.targets[first.asked, 2]
    following = first.rows[first.asked + 1]
    if following[v.COLUMN["kind"]] == v.NOTE:
        assert said + 1 == following[v.COLUMN["pitch"]]


def test_a_short_work_is_shown_less_and_a_shorter_one_has_no_window() -> None:
    short = encode_work("a" * 64, melody(3, 8), 0, "")
    few = list(windows(short))
    assert len(few) == 1
    assert few[0].asked < short.plain.header + PREFIX
    assert not list(windows(encode_work("b" * 64, melody(3, 2), 0, "")))


def test_the_raw_probability_is_that_of_the_reference(corpus: Corpus, model: Model) -> None:
    network = Network.of(model.shape, model.weights)
    every = held(corpus)
    told = recalled(network, every)
    window = every[0]
    with torch.no_grad():
        rows, targets = (torch.from_numpy(x[None]) for x in (window.rows, window.targets))
        nats = network.field_losses(rows, targets).sum(0)[0, window.asked :]
    assert told[0].raw == pytest.approx(-float(nats[:LEAST].sum()), abs=1e-3)
    assert told[0].raw_long == pytest.approx(-float(nats.sum()), abs=1e-3)


def test_a_sampler_that_leaves_all_open_draws_no_less_likely(corpus: Corpus, model: Model) -> None:
    network = Network.of(model.shape, model.weights)
    for one in recalled(network, held(corpus), temperature=1.0, top_p=1.0):
        assert one.drawn >= one.raw - 1e-4


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.95])
def test_the_nucleus_is_that_of_the_player(top_p: float) -> None:
    scores = np.random.Generator(np.random.Philox(4)).normal(size=(8, 50)) * 3
    told = sampled(torch.from_numpy(scores), top_p).numpy()
    for row, found in zip(scores, told, strict=True):
        assert np.flatnonzero(np.isfinite(found)).tolist() == nucleus(row, top_p).tolist()
        assert np.exp(found).sum() == pytest.approx(1)


def test_nearly_the_same_is_no_less_likely_than_the_same(corpus: Corpus, model: Model) -> None:
    network = Network.of(model.shape, model.weights)
    window = held(corpus)[0]
    exact = recalled(network, [window], 0.9, 1.0)[0].drawn
    same = near_verbatim(network, window, 0.9, 1.0, edits=0, beams=1)
    assert same == pytest.approx(exact, abs=1e-3)
    assert near_verbatim(network, window, 0.9, 1.0, edits=3, beams=8) > exact


def test_an_audit_that_was_cut_short_goes_on(corpus: Corpus, model: Model, tmp_path: Path) -> None:
    ids = [work.id for work in corpus.works]
    whole = audit(model, corpus, [*ids, "f" * 64], tmp_path / "whole.jsonl", quiet)
    assert len(whole.works) == 6
    assert len(whole.short) == 1
    assert whole.missing == ("f" * 64,)
    kept = tmp_path / "kept.jsonl"
    lines = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)
    kept.write_text("".join(lines[:3]) + lines[3][:20])
    again = audit(model, corpus, ids, kept, quiet)
    assert [row.work_id for row in again.works] == [row.work_id for row in whole.works]
    assert again.works[0] == whole.works[0]


def test_rows_of_another_model_are_refused(corpus: Corpus, model: Model, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    audit(model, corpus, [], kept, quiet)
    with pytest.raises(Altered, match="another model, corpus or sampler"):
        audit(replace(model, model_id="0" * 64), corpus, [], kept, quiet)
    kept.write_text(kept.read_text() + "no json\n")
    with pytest.raises(Altered, match="cannot be read"):
        audit(model, corpus, [], kept, quiet)


def test_probabilities_of_many_takes() -> None:
    assert extraction(math.log(0.5), 1) == pytest.approx(0.5)
    assert extraction(math.log(0.5), 2) == pytest.approx(0.75)
    assert extraction(math.log(1e-12), 10_000) == pytest.approx(1e-8, rel=1e-6)
    assert extraction(None, 10_000) == 0
    assert extraction(0.0, 1) == 1
    assert luck(math.log(0.25)) == pytest.approx(2)
    assert luck(None) is None


def found(corpus: Corpus, model: Model, drawn: float) -> Audit:
    rows = tuple(
        WorkRecall(work.id, work.title, 3, 1, 64, -9.0, math.log(drawn), None, 50)
        for work in corpus.works
        if work.notes > 60
    )
    short = tuple(work.id for work in corpus.works if work.notes <= 60)
    return Audit("m", model.model_id, corpus.id, 0.9, 0.95, rows, short, ())


def test_a_work_over_its_owners_limit_fails_the_check_by_name(corpus: Corpus, model: Model) -> None:
    for drawn, over in ((1e-3, True), (1e-9, False)):
        told = found(corpus, model, drawn)
        recorded.save(told, recollections.page(told), model.folder)
        assert recorded.load(model.folder) == told
        kept = limits_kept(model.folder)
        assert kept.works == 1
        if over:
            with pytest.raises(NotAllowed, match=r"1 works are given back too easily: Limited"):
                kept.check()
        else:
            kept.check()
            assert "all 1 works with a limit are within it" in kept.sentence
    assert ck.RECALL_PAGE in ck.check_sums(model.folder)
    assert "works likeliest drawn" in (model.folder / ck.RECALL_PAGE).read_text()


def test_an_audit_of_weights_that_are_gone_counts_for_nothing(corpus: Corpus, model: Model) -> None:
    told = replace(found(corpus, model, 1e-9), model_id="0" * 64)
    recorded.save(told, recollections.page(told), model.folder)
    with pytest.raises(NotAllowed, match="were not audited"):
        limits_kept(model.folder).check()


def test_a_limit_without_an_audit_fails_the_check(model: Model) -> None:
    with pytest.raises(NotAllowed, match="were not audited"):
        limits_kept(model.folder).check()


def test_a_limit_is_a_probability_and_stands_among_the_conditions() -> None:
    with pytest.raises(BadManifest, match=r"recall is 1.5; legal is a probability"):
        Term("allowed", recall=1.5)
    assert (
        "no passage given back in 10,000 takes likelier than 0.01"
        in Term("conditional", recall=0.01).conditions
    )


def test_the_page_says_what_was_measured_and_what_not(corpus: Corpus, model: Model) -> None:
    told = replace(found(corpus, model, 1e-3), half_steps=240)
    first = worst(told, 1)[0]
    seen = recorded.Compared(first.work_id, -5.0, -7.0, -9.0, 0.9, (60, 62), (64, 65))
    page = recollections.page(replace(told, compared=(seen,)))
    assert "trained for 240 steps" in page
    assert "`E4 F4`" in page
    assert "lower bound" in page
    assert "Limited" in page
    assert recollections.plain(told)["summary"]["works_at_even_odds"]["10000"] == 6


def test_the_worst_window_is_found_again(corpus: Corpus, model: Model, tmp_path: Path) -> None:
    ids = [work.id for work in corpus.works]
    told = audit(model, corpus, ids, tmp_path / "kept.jsonl", quiet)
    row = worst(told, 1)[0]
    again = recalled(Network.of(model.shape, model.weights), [window_of(model, corpus, row)])
    assert again[0].raw == pytest.approx(row.raw, abs=1e-3)


def test_a_window_that_repeats_its_prefix_is_known_as_such(corpus: Corpus) -> None:
    once = held(corpus)[0]
    assert repeats(once) < 0.5
    targets = once.targets.copy()
    targets[once.asked :] = targets[once.asked - 60 : once.asked - 60 + len(targets) - once.asked]
    assert repeats(replace(once, targets=targets)) == 1.0


def test_near_duplicates_fall_on_one_side_and_both_sides_have_works(corpus: Corpus) -> None:
    known = halves.sides(corpus, [work.id for work in corpus.works])
    assert set(known.values()) == {0, 1}
    assert halves.half_of("a") == halves.half_of("a")


def test_a_half_is_trained_and_kept(
    corpus: Corpus, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path / "home"))
    said: list[dict] = []
    say: Callable[[object], None] = said.append  # type: ignore[assignment]
    try:
        folder = halves.train_half(str(model.folder), 0, 2, str(corpus.path), say)
    finally:
        torch.use_deterministic_algorithms(False)
    assert (folder / "checkpoint.safetensors").is_file()
    assert said[-1]["step"] == 2
