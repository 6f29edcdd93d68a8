"""A revenue is split to the last cent, and it makes no difference how an owner's music is cut up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadInput
from musai.royalties.split import GRAIN, RESIDUAL, RETAINED, UNCLAIMED, Claim, Split, split
from musai.royalties.terms import StatementTerms, minor_units

NAMES = ("Ada", "Ben", "Cho", "Dee")
EVEN = StatementTerms("EUR", 3000, 2000)


def claim(work: str, notes: int, *holders: tuple[str, int], first: int = 0, **also: int) -> Claim:
    ids = np.arange(first, first + notes)
    return Claim(
        work,
        also.pop("cluster", int.from_bytes(work.encode(), "big")),
        ids,
        tuple(sorted(holders)),
        **also,
    )


@st.composite
def holders(draw: st.DrawFn) -> tuple[tuple[str, int], ...]:
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
    left, found = 10_000, []
    for name in names:
        share = draw(st.integers(0, left))
        left -= share
        found.append((name, share))
    return tuple(sorted(found))


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    found = []
    for number in range(draw(st.integers(1, 8))):
        first, count = draw(st.integers(0, 60)), draw(st.integers(1, 40))
        found.append(
            Claim(
                f"w{number}",
                draw(st.integers(0, 5)),
                np.arange(first, first + count),
                draw(holders()),
                draw(st.integers(0, 300)),
                draw(st.integers(-(10**12), 10**12)),
            )
        )
    return found


@st.composite
def terms(draw: st.DrawFn) -> StatementTerms:
    training = draw(st.integers(0, 5000))
    output = draw(st.integers(0, 2500))
    residual = draw(st.sampled_from(["held", "training"]))
    return StatementTerms("EUR", training, output, draw(st.floats(0, 1)), residual)


REVENUES = st.integers(1, 10**9)
TRUST = st.one_of(st.none(), st.floats(-1, 1))


def totals(done: Split) -> dict[str, int]:
    return {line.owner: done.total(line.owner) for line in done.lines}


@given(REVENUES, terms(), claims(), TRUST)
def test_the_lines_sum_to_the_revenue_and_none_is_below_zero(
    revenue: int, agreed: StatementTerms, works: list[Claim], trust: float | None
) -> None:
    done = split(revenue, agreed, works, trust)
    assert sum(line.amount for line in done.lines) == revenue
    assert all(line.amount > 0 for line in done.lines)


@given(REVENUES, terms(), claims(), TRUST, st.data())
def test_cloning_a_work_changes_no_owner_s_total(
    revenue: int,
    agreed: StatementTerms,
    works: list[Claim],
    trust: float | None,
    data: st.DataObject,
) -> None:
    """Whatever part of the work's influence its copy takes over."""
    copied = data.draw(st.sampled_from(works))
    moved = data.draw(st.integers(-(10**12), 10**12))
    clone = replace(copied, work_id="clone", influence=moved)
    left = replace(copied, influence=copied.influence - moved)
    others = [one for one in works if one is not copied]
    after = split(revenue, agreed, [*others, clone, left], trust)
    assert totals(after) == totals(split(revenue, agreed, works, trust))


@given(REVENUES, terms(), claims(), TRUST, st.data())
def test_splitting_a_work_and_merging_it_again_changes_no_owner_s_total(
    revenue: int,
    agreed: StatementTerms,
    works: list[Claim],
    trust: float | None,
    data: st.DataObject,
) -> None:
    whole = data.draw(st.sampled_from(works))
    cut = data.draw(st.integers(0, len(whole.notes)))
    moved = data.draw(st.integers(-(10**12), 10**12))
    parts = [
        replace(whole, work_id="a", notes=whole.notes[:cut], influence=moved),
        replace(whole, work_id="b", notes=whole.notes[cut:], influence=whole.influence - moved),
    ]
    others = [one for one in works if one is not whole]
    after = split(revenue, agreed, [*parts, *others], trust)
    assert totals(after) == totals(split(revenue, agreed, works, trust))


@given(REVENUES, terms(), claims(), TRUST, st.data())
def test_the_order_of_works_does_not_matter(
    revenue: int,
    agreed: StatementTerms,
    works: list[Claim],
    trust: float | None,
    data: st.DataObject,
) -> None:
    other = data.draw(st.permutations(works))
    assert split(revenue, agreed, other, trust).lines == split(revenue, agreed, works, trust).lines


def test_the_training_pool_goes_by_distinct_notes() -> None:
    works = [claim("a", 300, ("Ada", 10_000)), claim("b", 100, ("Ben", 10_000), first=500)]
    done = split(10_000, EVEN, works, None)
    assert totals(done) == {"Ada": 2250, "Ben": 750, RESIDUAL: 2000, RETAINED: 5000}


def test_holders_share_and_what_nobody_holds_is_unclaimed() -> None:
    works = [claim("a", 100, ("Ada", 6000), ("Ben", 2500))]
    done = split(10_000, EVEN, works, None)
    assert {k: v for k, v in totals(done).items() if k in ("Ada", "Ben", UNCLAIMED)} == {
        "Ada": 1800, "Ben": 750, UNCLAIMED: 450,
    }  # fmt: skip


def test_what_two_owners_claim_goes_to_escrow() -> None:
    works = [
        claim("a", 100, ("Ada", 10_000), cluster=1),
        claim("b", 100, ("Ben", 10_000), cluster=1),
        claim("c", 100, ("Cho", 10_000), first=200, cluster=2),
    ]
    done = totals(split(10_000, EVEN, works, None))
    assert done["(escrow: Ada / Ben)"] == 1500
    assert done["Cho"] == 1500
    assert "Ada" not in done


def test_influence_is_shrunk_toward_the_training_split_by_kelley_s_formula() -> None:
    works = [
        claim("a", 100, ("Ada", 10_000), influence=GRAIN),
        claim("b", 100, ("Ben", 10_000), first=200, influence=-GRAIN),
    ]
    done = split(1_000_000, EVEN, works, 0.6)
    output = {line.owner: line.amount for line in done.lines if line.pool == "output"}
    # rho = .36: Ada .36 x 1 + .64 x .5 = .68 of 200,000
    assert output == {"Ada": 136_000, "Ben": 64_000}
    assert done.paid_by_influence


@pytest.mark.parametrize(("residual", "where"), [("held", {RESIDUAL}), ("training", {"Ada"})])
def test_below_the_threshold_influence_pays_nobody(residual: str, where: set[str]) -> None:
    works = [claim("a", 100, ("Ada", 10_000), influence=GRAIN)]
    agreed = StatementTerms("EUR", 3000, 2000, 0.2, residual)  # type: ignore[arg-type]
    for trust in (None, 0.19):
        done = split(10_000, agreed, works, trust)
        assert not done.paid_by_influence
        assert {line.owner for line in done.lines if line.pool == "output"} == where


def test_an_owner_s_own_share_counts_once_however_many_works_ask_for_it() -> None:
    works = [claim(f"w{i}", 10, ("Ada", 10_000), first=i * 10, share=250) for i in range(5)]
    done = split(10_000, EVEN, works, None)
    assert {(one.owner, one.pool): one.amount for one in done.lines}["Ada", "share"] == 250


def test_shares_over_the_whole_contradict_each_other() -> None:
    works = [
        claim("a", 10, ("Ada", 10_000), share=4000),
        claim("b", 10, ("Ben", 10_000), first=20, share=2000),
    ]
    with pytest.raises(BadInput, match="owners ask for 6000 basis points, the pools for 5000"):
        split(10_000, EVEN, works, None)


@pytest.mark.parametrize("revenue", [0, -1])
def test_no_revenue_no_statement(revenue: int) -> None:
    with pytest.raises(BadInput, match="legal is above zero"):
        split(revenue, EVEN, [claim("a", 1, ("Ada", 10_000))], None)


def test_amounts_are_read_to_the_minor_unit_of_their_currency() -> None:
    assert minor_units("1234.56", EVEN) == 123_456
    assert minor_units("12", replace(EVEN, currency="JPY")) == 12
    assert minor_units("1.234", replace(EVEN, currency="KWD")) == 1234
    for wrong, told in (("0", "above zero"), ("-3", "above zero"), ("x", "a number"),
                        ("1.234", "2 digits"), ("nan", "a number"), ("1e99", "10")):  # fmt: skip
        with pytest.raises(BadInput, match=told):
            minor_units(wrong, EVEN)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"currency": "euro"}, "currency"),
        ({"training": 10_001}, "training is 10001"),
        ({"training": 9000, "output": 2000}, "contradict"),
        ({"threshold": 2}, "threshold is 2"),
        ({"residual": "spent"}, "residual"),
        ({"territory": "XX"}, "territory"),
        ({"output": 1.5}, "whole number"),
    ],
)
def test_terms_that_cannot_be_are_named(values: dict, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        StatementTerms(**{"currency": "EUR", "training": 3000, "output": 2000, **values})
