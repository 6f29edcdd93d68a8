from datetime import date

import pytest

from musai.corpus.licences import Term, Terms
from musai.corpus.work import Creator, Holder, Work
from musai.report import work_record


@pytest.mark.parametrize(
    ("creator", "text"),
    [
        (Creator("Clara Schumann", born=1819, died=1896), "Clara Schumann (1819 to 1896)"),
        (Creator("A. Living", born=1970), "A. Living (born 1970)"),
        (Creator("B. Late", died=1800, role="lyricist"), "B. Late (died 1800), lyricist"),
        (Creator("Trad."), "Trad."),
    ],
)
def test_creators_carry_their_years_and_roles(creator, text):
    assert work_record(Work("1" * 64, "A", (creator,))).creators == (text,)


def test_holders_carry_their_shares():
    work = Work("1" * 64, "A", holders=(Holder("Estate", 7500), Holder("Press", 2500)))
    assert work_record(work).holders == ("Estate (75%)", "Press (25%)")
    assert work_record(Work("1" * 64, "A", holders=(Holder("Estate"),))).holders == ("Estate",)


def test_terms_are_told_for_each_use_with_their_conditions():
    credited = Term("conditional", "licence", attribution="A by B", share=250)
    work = Work("1" * 64, "A", terms=Terms(train=credited))
    record = work_record(work)
    told = {term.use: (term.status, term.conditions) for term in record.terms}
    assert list(told) == ["match", "train", "influence", "commercial"]
    assert told["match"] == ("allowed", "")
    assert told["commercial"] == ("denied", "")
    assert told["train"] == ("conditional", "credit: A by B; 2.5% of revenue to the owner")
    assert record.attribution == "A by B"


def test_terms_that_have_ended_are_told_as_ended():
    ended = Term("allowed", until=date(2020, 12, 31))
    work = Work("1" * 64, "A", terms=Terms(train=ended))
    today = {term.use: term.status for term in work_record(work, on=date(2026, 11, 20)).terms}
    assert today["train"] == "denied"
