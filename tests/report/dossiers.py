"""A dossier made by hand: three phrases, of which the first quotes a tune."""

import msgspec

from musai.report.assemble import About, Case, Hit, assemble, with_drawings
from musai.report.build import comparison_of, match_record
from musai.report.dossier import (
    Agreement,
    Compared,
    Dossier,
    Entry,
    Judgement,
    MarkCount,
    Played,
    Rerun,
)
from musai.report.inputs import Evidence
from musai.report.records import Comparison, Score
from musai.report.scores import score_of
from tests.report.fixtures import QUOTE, TUNE, WORK, Verdict
from tests.report.fixtures import Hit as Found

NAMES = ("Fantasie für Änne", "荒城の月", "يا ليل الصب")


def entry(number: int, p: float | None, light: str = "green", name: str = "") -> Entry:
    return Entry(
        number=1,
        phrase_id=f"{number}" * 64,
        name=name or NAMES[(number - 1) % 3],
        origin="file" if number % 2 else "generated",
        session="tuesday",
        made_at=f"2026-11-25T09:00:0{number % 10}.000000Z",
        notes=len(QUOTE),
        bars=4,
        light=light,  # type: ignore[arg-type]
        p_value=p,
        q_value=None,
        significant=False,
        longest_run=9,
        sentence="Closer than unrelated music comes.",
        corpora=("reels",),
        records=(1, 2, 3),
        replay_id=None if number % 2 else "9" * 64,
    )


def hit(title: str = WORK.title, **more: object) -> Hit:
    work = msgspec.structs.replace(WORK, title=title)
    found = Found(**more)  # type: ignore[arg-type]
    return Hit("reels", match_record(1, found, Evidence(Verdict(), [found], {WORK.id: work})))


def judged(made: Hit, **more: object) -> Hit:
    one = Judgement(
        seq=9,
        utc="2026-11-25T10:00:00.000000Z",
        phrase_id="1" * 64,
        work_id=WORK.id,
        corpus="reels",
        who="Änne",
        **more,  # type: ignore[arg-type]
    )
    return Hit(made.corpus, made.match, (*made.judgements, one))


class Layer:
    """Lays the quote beside the tune, whatever is asked for."""

    def score(self, phrase_id: str) -> Score | None:
        return score_of(QUOTE)

    def comparison(self, phrase_id: str, corpus: str, work_id: str) -> Comparison | None:
        return comparison_of(Found(), QUOTE, lambda _: TUNE)


AGREEMENT = Agreement(
    n=0, reviewers=0, rho=None, low=None, high=None, marks=(MarkCount("red", "relevant", 1),)
)
COMPARED = Compared(
    name="reels", id="c" * 64, works=2, phrases=3, null_size=10_000, null_reference="tunebook"
)


def dossier(cases: list[Case] | None = None, **about: object) -> Dossier:
    told = judged(judged(hit(), likeness=4, by_ear=True), mark="relevant", note="=SUM(A1)")
    made = cases or [
        Case(entry(1, 0.0001, "red"), (told,), 10_000),
        Case(entry(2, 0.4), (hit(significant=False, p_value=0.5, q_value=0.9),), 10_000),
        Case(entry(3, None, "grey")),
    ]
    words = {
        "title": "Session tuesday",
        "about": "Everything in the ledger of tuesday.",
        "made_at": "2026-11-25T12:00:00+00:00",
        "reruns": (Rerun(command="musai ledger verify", shows="that nothing was changed"),),
        "ledger": {"Records of the ledger": "1 to 9"},
        **about,
    }
    touching = words.pop("touching", None)
    whole = assemble(
        About(**words),  # type: ignore[arg-type]
        made,
        corpora=[COMPARED],
        models=[Played(name="tiny", id="5" * 64, phrases=1)],
        agreement=AGREEMENT,
        touching=touching,  # type: ignore[arg-type]
    )
    return with_drawings(whole, Layer())
