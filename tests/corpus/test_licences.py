"""What a licence, a manifest and a declaration allow."""

from datetime import date

import pytest

from musai.corpus import USES, Term, Terms, Work, permission, terms_of
from musai.corpus.licences import LICENCES, own_terms, read_term
from musai.errors import BadManifest


def work(terms: Terms, licence: str = "LicenseRef-x") -> Work:
    return Work("0" * 64, "A Work", licence=licence, terms=terms)


def statuses(licence: str) -> tuple[str, ...]:
    return tuple(terms_of(licence).of(use).status for use in USES)


def test_unknown_terms_allow_matching_here_and_nothing_else() -> None:
    for unknown in ("", "LicenseRef-unknown", "LicenseRef-somebodys", "NOASSERTION"):
        assert statuses(unknown) == ("allowed", "denied", "denied", "denied")
    assert [permission(work(Terms()), use).allowed for use in USES] == [True, False, False, False]


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC0-1.0", ("allowed",) * 4),
        ("CC-BY-4.0", ("allowed", "conditional", "conditional", "conditional")),
        ("CC-BY-SA-3.0", ("allowed", "unclear", "conditional", "unclear")),
        ("CC-BY-NC-4.0", ("allowed", "conditional", "conditional", "denied")),
        ("CC-BY-NC-ND-4.0", ("allowed", "denied", "conditional", "denied")),
        ("BSD-3-Clause", ("allowed", "conditional", "conditional", "conditional")),
        ("LicenseRef-music21-corpus", ("allowed", "allowed", "allowed", "unclear")),
        ("LicenseRef-all-rights-reserved", ("allowed", "denied", "denied", "denied")),
    ],
)
def test_the_table_says_what_a_licence_allows(licence: str, expected: tuple[str, ...]) -> None:
    assert statuses(licence) == expected


def test_every_row_of_the_table_gives_a_term_for_every_use_and_allows_matching() -> None:
    for id_ in LICENCES:
        assert len(statuses(id_)) == len(USES)
        assert terms_of(id_).match.status == "allowed"


def test_of_alternatives_the_more_generous_holds_and_of_requirements_the_stricter() -> None:
    assert statuses("CC-BY-NC-4.0 OR CC0-1.0") == statuses("CC0-1.0")
    assert statuses("CC0-1.0 AND CC-BY-NC-4.0") == statuses("CC-BY-NC-4.0")
    assert statuses("(MIT OR LicenseRef-odd) AND CC-BY-4.0") == statuses("CC-BY-4.0")


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(BadManifest, match="SPDX expression"):
        terms_of("MIT OR")


@pytest.mark.parametrize(
    "words", ["All rights reserved", "Copyright 2020 Ann", "(c) Ann", "public domain", "CC BY 4.0"]
)
def test_words_that_are_no_expression_are_unknown_terms(words: str) -> None:
    assert statuses(words) == statuses("LicenseRef-odd")
    assert words in terms_of(words).train.reason


def test_credit_travels_as_a_condition() -> None:
    answer = permission(work(terms_of("CC-BY-4.0", "Ann Other, CC BY 4.0")), "train")
    assert answer.allowed
    assert answer.conditions == ("credit: Ann Other, CC BY 4.0",)


def test_all_conditions_are_told() -> None:
    term = Term("conditional", "", "Ann", 250, ("DE", "FR"), date(2026, 1, 1), date(2030, 12, 31))
    assert permission(work(Terms(train=term)), "train").conditions == (
        "credit: Ann",
        "2.5% of revenue to the owner",
        "only in DE, FR",
        "from 2026-01-01",
        "until 2030-12-31",
    )


def test_days_and_countries_decide_where_they_are_named() -> None:
    term = Term("conditional", territory=("DE",), since=date(2026, 1, 1), until=date(2026, 12, 31))
    one = work(Terms(train=term))
    assert permission(one, "train", on=date(2026, 12, 31), territory="DE").allowed
    assert permission(one, "train", on=date(2027, 1, 1)).status == "denied"
    assert permission(one, "train", on=date(2025, 12, 31)).status == "denied"
    assert permission(one, "train", territory="US").status == "denied"
    assert permission(one, "train").status == "conditional"


def test_an_allowance_until_a_day_ends_with_it() -> None:
    one = work(Terms(match=Term("allowed", until=date(2026, 6, 30))))
    assert permission(one, "match", on=date(2026, 6, 30)).status == "conditional"
    assert permission(one, "match", on=date(2026, 7, 1)).status == "denied"


def test_what_is_unclear_is_not_allowed_and_says_why() -> None:
    answer = permission(work(terms_of("LicenseRef-music21-corpus")), "commercial")
    assert (answer.status, answer.allowed) == ("unclear", False)
    assert "states no terms" in answer.reason


def test_a_declaration_allows_everything_and_names_who_declared() -> None:
    answers = [permission(work(own_terms("Ann Other")), use) for use in USES]
    assert all(answer.status == "allowed" for answer in answers)
    assert "Ann Other" in answers[0].reason


def test_a_word_that_is_no_use_is_refused() -> None:
    with pytest.raises(BadManifest, match="legal is match, train"):
        permission(work(Terms()), "sell")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("maybe", "legal is allowed, denied"),
        ({"status": "allowed", "price": 3}, "price"),
        ({"status": "conditional", "share": 10_001}, "0 to 10000"),
        ({"status": "conditional", "share": "half"}, "cannot be read"),
        ({"status": "conditional", "territory": "Germany"}, "code like DE"),
        ({"status": "conditional", "until": "soon"}, "cannot be read"),
        ({"status": "conditional", "since": "2027-01-01", "until": "2026-01-01"}, "rising"),
        (7, "a status or an object"),
    ],
)
def test_a_term_at_fault_is_refused_by_value(value: object, says: str) -> None:
    with pytest.raises(BadManifest, match=says):
        read_term(value, "train")
