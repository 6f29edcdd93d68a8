"""Probabilities: from counting, never smaller than counting allows."""

import made
import numpy as np
import pytest

from musai.match import Matcher, align, decoys, describe, many, null, search, significance, told
from musai.match.hits import light_of
from musai.match.nulls import Nulls
from musai.match.related import FEWEST_WORKS, LENGTHS, TooFew, draw, sources


@pytest.fixture(scope="module")
def judged(shelf, tmp_path_factory):
    """The shelf's matcher with a null of 400 phrases of its own."""
    matcher = Matcher.open(shelf, references=[shelf], null="there")
    folder = tmp_path_factory.mktemp("null")
    matcher.nulls = Nulls(matcher.catalogue, [matcher.catalogue], folder, size=400)
    matcher.nulls.build()
    return matcher


def known(best, lengths=(8, 16)):
    """A null of which everything is known."""
    best = np.array(best, np.int16)
    pairs = np.zeros((len(lengths), null.BINS), np.int64)
    pairs[:, -null.LOW : -null.LOW + 1000] = 100
    return null.Null(
        "made",
        "v",
        np.array(lengths),
        best,
        best,
        best[:, ::2],
        np.zeros(len(lengths)),
        pairs,
        pairs[0],
    )


def test_p_of_a_phrase_counts_the_null_at_or_above_it():
    held = known([range(0, 100), range(100, 200)])
    assert significance.phrase_p(held, 8, 90) == pytest.approx(11 / 101)
    assert significance.phrase_p(held, 16, 190) == pytest.approx(11 / 101)


def test_p_is_never_smaller_than_the_null_supports():
    held = known([range(0, 100), range(100, 200)])
    assert significance.phrase_p(held, 8, 30_000) == pytest.approx(1 / 101)


def test_between_two_lengths_the_quantiles_are_interpolated():
    held = known([range(0, 100), range(100, 200)])
    assert significance.phrase_p(held, 12, 140) == pytest.approx(11 / 101)


@pytest.mark.parametrize("notes", [7, 17])
def test_lengths_that_the_null_does_not_know_have_no_p(notes):
    assert significance.phrase_p(known([range(100), range(100)]), notes, 50) is None


def test_a_tail_is_given_only_beyond_what_was_counted():
    held = known([sorted(np.arange(1000) // 3), range(1000)])
    assert significance.extrapolated_p(held, 8, 300) is None
    beyond = significance.extrapolated_p(held, 8, 400)
    assert beyond is not None
    assert 0 < beyond < 1 / 1001


def test_the_pareto_fit_recovers_what_it_was_drawn_from():
    xi, sigma = 0.2, 3.0
    u = made.rng(1).random(200_000)
    drawn = sigma / xi * ((1 - u) ** -xi - 1)
    fitted = significance.pareto(drawn, np.ones(len(drawn)))
    assert fitted.xi == pytest.approx(xi, abs=0.02)
    assert fitted.sigma == pytest.approx(sigma, rel=0.03)
    assert fitted.above(np.array([0.0]))[0] == pytest.approx(1)


def test_p_of_a_work_falls_with_its_score_and_is_the_share_counted():
    held = known([range(100), range(100)])
    p, extended = significance.work_p(held, 8, np.arange(0, 2000, 100), np.zeros(20))
    assert (np.diff(p) <= 0).all()
    assert p[5] == pytest.approx(0.5, abs=0.001)
    assert not extended[:9].any()
    assert extended[-1]


def test_p_of_a_work_is_never_below_one_in_all_that_was_counted():
    held = known([range(100), range(100)])
    scores = np.linspace(0, 20_000, 50).astype(int)
    p, extended = significance.work_p(held, 8, scores, np.zeros(len(scores)))
    assert extended.any()
    assert p.min() == pytest.approx(1 / (1 + held.pairs[0].sum()))


def test_q_values_are_benjamini_and_hochbergs():
    q = significance.q_values(np.array([0.01, 0.04, 0.03, 0.005, 1.0]))
    assert q.tolist() == pytest.approx([0.025, 0.05, 0.05, 0.025, 1.0])


@pytest.mark.parametrize(
    ("p", "run", "authors", "light"),
    [
        (None, 30, 1, "grey"),
        (0.5, 7, 1, "green"),
        (0.5, 8, 1, "amber"),
        (0.01, 0, 9, "amber"),
        (0.001, 0, 5, "amber"),
        (0.001, 0, 4, "red"),
    ],
)
def test_the_light_is_as_defined(p, run, authors, light):
    assert light_of(p, run, authors) == light


def test_a_quotation_is_told_and_the_passage_is_named(judged, shelf):
    cut = made.moved(shelf.music["tune 14"], range(20, 40), up=4, stretch=1.5)
    found = judged.match(cut)
    verdict = found.verdict
    assert verdict.p_value == pytest.approx(1 / 401)
    assert verdict.light == "amber"
    assert "tune 14" in verdict.sentence
    assert (verdict.null_size, verdict.null_reference) == (400, "shelf")
    assert found[0].significant
    assert found[0].q_value < 0.01
    assert found[0].e_value == pytest.approx(found[0].p_value * verdict.clusters)
    assert not found[1].significant
    assert (verdict.common_works, verdict.common_authors) == (1, 1)


def test_strangers_are_told_no_significant_match(judged):
    lights = [judged.match(made.tune(5000 + k, 20)).verdict for k in range(60)]
    loud = [v for v in lights if v.significant]
    assert len(loud) <= 3
    quiet = next(v for v in lights if not v.significant)
    assert quiet.sentence.startswith("No significant match (p = ")


def test_a_random_walk_is_told_no_significant_match(judged):
    steps = made.rng(8).integers(-3, 4, 24)
    phrase = made.Phrase.from_notes(range(24), np.ones(24), 60 + np.cumsum(steps))
    found = judged.match(phrase)
    assert found.verdict.light == "green"
    assert not any(hit.significant for hit in found)


def test_a_phrase_of_four_notes_is_too_short_for_a_verdict(judged, shelf):
    verdict = judged.match(made.moved(shelf.music["tune 3"], range(4))).verdict
    assert verdict.light == "grey"
    assert "a verdict needs 5" in verdict.reason


def test_a_null_is_the_same_for_the_same_seed_and_another_for_another(judged):
    made_again = []
    for seed in (0, 0, 1):
        drafts = null.build(judged.catalogue, judged.catalogue, seed, 30)
        made_again.append(list(drafts)[-1].finish("shelf", "v").best.tolist())
    assert made_again[0] == made_again[1]
    assert made_again[0] != made_again[2]


def test_a_null_that_was_built_is_read_again(judged, tmp_path):
    first = Nulls(judged.catalogue, [judged.catalogue], tmp_path, size=20)
    assert first.why_not == "its null has not been built yet"
    first.build()
    second = Nulls(judged.catalogue, [judged.catalogue], tmp_path, size=20)
    assert np.array_equal(second.ready[0].best, first.ready[0].best)
    assert second.why_not == ""
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:200])
    assert Nulls(judged.catalogue, [judged.catalogue], tmp_path, size=20).ready == []


def test_a_null_is_used_while_few_works_come_or_go_and_says_so(tmp_path):
    shelf = made.shelf(tmp_path, 50)
    first = Matcher.open(shelf, references=[], null="there")
    Nulls(first.catalogue, [first.catalogue], tmp_path / "n", size=20).build()
    shelf.music["new"] = made.tune(88)
    second = Matcher.open(shelf, references=[], null="there")
    second.nulls = Nulls(second.catalogue, [second.catalogue], tmp_path / "n", size=20)
    said = second.match(made.moved(shelf.music["new"], range(16))).verdict
    assert said.null_size == 20
    assert "made before 1 work came or went" in said.sentence
    shelf.music |= {f"more {k}": made.tune(900 + k) for k in range(3)}
    third = Matcher.open(shelf, references=[], null="there")
    assert Nulls(third.catalogue, [third.catalogue], tmp_path / "n", size=20).ready == []


def test_a_build_that_breaks_off_is_gone_on_with_and_ends_the_same(judged, tmp_path):
    size = null.PILOT + 60
    whole = list(null.build(judged.catalogue, judged.catalogue, 3, size))[-1]
    begun = Nulls(judged.catalogue, [judged.catalogue], tmp_path, 3, size)

    def stop(done: int, total: int, what: str) -> None:
        if done == null.PILOT:
            begun._stop.set()

    begun.build(stop)
    assert begun.ready == []
    assert len(list(tmp_path.glob("*.begun"))) == 1
    again = Nulls(judged.catalogue, [judged.catalogue], tmp_path, 3, size)
    again.build()
    task = again.tasks[0]
    expected = whole.finish(task.reference.name, task.version)
    for name in ("best", "bare", "slope", "pairs"):
        assert np.array_equal(getattr(again.ready[0], name), getattr(expected, name))
    assert not list(tmp_path.glob("*.begun"))


def test_a_null_is_built_behind(judged, tmp_path):
    held = Nulls(judged.catalogue, [judged.catalogue], tmp_path, size=20)
    held.build_behind()
    assert held.wait(60)
    assert held.ready[0].size == 20


def test_nothing_related_counts_for_a_null(tmp_path):
    shelf = made.shelf(tmp_path, FEWEST_WORKS + 5)
    twin = shelf.music["tune 3"].notes.copy()
    twin["pitch"][::9] += 1
    shelf.music["a variant"] = made.Phrase(twin)
    shelf.composers = {"tune 5": "Ann Onymous", "tune 6": "ann onymous", "tune 7": "Traditional"}
    shelf.composers["tune 8"] = "Trad."
    catalogue = Matcher.open(shelf, null="there").catalogue
    number = {row.title: k for k, row in enumerate(catalogue.rows)}
    related = null.Related(catalogue, catalogue)
    assert related.mask(number["tune 5"])[number["tune 6"]]
    assert not related.mask(number["tune 7"])[number["tune 8"]]
    pool = sources(catalogue)
    assert pool.lengths == tuple(n for n in LENGTHS if n <= pool.lengths[-1])
    for k in range(400):
        drawn = draw(catalogue, pool, 0, k)
        if drawn.work == number["tune 3"]:
            break
    found = search.exhaustive(catalogue.index, drawn.line, np.array([15]))
    away = related.checked(drawn, found, related.own(drawn.work))
    assert away[number["a variant"]]
    assert away.sum() == 2


def test_a_reference_of_few_works_gives_no_null(tmp_path):
    catalogue = Matcher.open(made.shelf(tmp_path, 5), null="there").catalogue
    with pytest.raises(TooFew, match="5 different works"):
        sources(catalogue)


def test_several_lines_share_one_test(judged, shelf):
    work = shelf.music["quartet 1"]
    voice = np.flatnonzero(work.notes["voice"] == 0)[:20]
    alone = judged.match(made.moved(work, voice)).verdict
    all_voices = np.flatnonzero(work.notes["onset"] < 20 * 480)
    together = judged.match(made.moved(work, all_voices)).verdict
    assert together.lines >= 4
    assert together.p_value == pytest.approx(alone.p_value * together.lines)


def test_explained_by_hand():
    query = np.array([60, 62, 64, 65, 67]), np.array([0, 100, 200, 300, 400])
    work = np.array([72, 74, 75, 77, 79, 81]), np.array([0, 50, 100, 150, 200, 250])
    pairs = np.array([[1, 1], [2, 2], [3, 3]])
    for read in (told.read, many.read):
        stretched = np.zeros((8, 2), np.int32)
        total, transposition, tempo, equal, run = read(
            *query, *work, pairs, align.RHYTHM_TOLERANCE, stretched
        )
        assert stretched[:total].tolist() == [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]
        assert (transposition, tempo) == (-12, 2.0)
        assert (equal, run) == (4, 2)


def test_a_light_needs_its_test():
    line = search.line_from(np.arange(60, 76), np.arange(16) * 100)
    assert describe.test_of([line], np.array([[5, 9]]), []).p is None


def test_chance_is_counted_over_the_decoys():
    held = known([range(0, 100), range(100, 200)])
    assert held.decoys.shape[1] == 50
    assert significance.chance_p(held, 8, 90) == pytest.approx(6 / 51)
    assert significance.chance_p(held, 8, 30_000) == pytest.approx(1 / 51)
    assert significance.chance_p(held, 7, 90) is None


def test_a_decoy_takes_only_steps_and_gaps_of_the_music_and_is_keyed_by_its_number(judged):
    chain = decoys.chain(judged.catalogue)
    pitch, onset = decoys.decoy(chain, 500, 3, 8)
    assert set(np.abs(np.diff(pitch)).tolist()) <= set(np.abs(chain.steps).tolist())
    assert set(np.diff(onset).tolist()) <= set(chain.gap_values.tolist())
    again = decoys.decoy(chain, 500, 3, 8)
    assert [a.tolist() for a in again] == [pitch.tolist(), onset.tolist()]
    assert decoys.decoy(chain, 500, 3, 9)[0].tolist() != pitch.tolist()


def test_chance_does_not_bring_a_quotation_and_brings_a_decoy(judged, shelf):
    cut = made.moved(shelf.music["tune 9"], range(10, 34))
    told = judged.match(cut).verdict.chance
    assert told is not None
    assert told.size == 40
    assert told.p_value == pytest.approx(1 / 41)
    pitch, onset = decoys.decoy(decoys.chain(judged.catalogue), 24, 99, 0)
    gaps = np.append(np.diff(onset), 240)
    drawn = made.Phrase.from_notes(onset / 480, gaps / 480, pitch)
    assert judged.match(drawn).verdict.chance.p_value > 0.02


def test_a_passage_that_several_works_hold_is_common_stock(tmp_path):
    shelf = made.shelf(tmp_path, 12)
    cadence = made.tune(77, 12)
    for title, tune in list(shelf.music.items())[:5]:
        shelf.music[title] = made.joined(tune, cadence)
    matcher = Matcher.open(shelf, null="there")
    hits = matcher.match(made.joined(made.tune(5, 8), cadence), common=2)
    assert hits[0].common.works == 5
    assert len(hits[0].common.examples) == 5
    assert hits[2].common is None


def test_a_null_is_the_same_whatever_the_number_of_threads(judged):
    def built(threads):
        *_, draft = null.build(judged.catalogue, judged.catalogue, 5, 60, threads=threads)
        return draft.finish("made", "v").save_to()

    alone, shared = built(1), built(3)
    for name in ("best", "bare", "decoys", "slope", "pairs"):
        assert alone[name].tolist() == shared[name].tolist(), name
