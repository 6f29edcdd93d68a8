"""The comparison: a phrase and a work side by side, heard, judged; blind where ears come first."""

from typing import Any

import msgspec
from markupsafe import Markup
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from musai.errors import BadInput
from musai.report import plots
from musai.report.aligned import aligned_svg, in_words
from musai.report.differences import rows
from musai.report.html import verdict_plots
from musai.report.names import interval
from musai.report.records import Comparison
from musai.report.scores import metre_of
from musai.report.staves import staves
from musai.report.wording import QUESTIONS, SIGNS, STYLE_NOTE
from musai.service.judging import LIKENESS
from musai.web.api_shapes import Asked, Text
from musai.web.desk import Desk, asked, form_of, json_text, onward, query_of
from musai.web.rendering import link
from musai.web.reviewer import Reviewer, checked_name, remember, reviewer_of
from musai.web.sounds import sounds_of_both

MARK_WORDS = {
    "relevant": "worth following up",
    "common stock": "a formula that many use",
    "licensed": "the use is agreed",
    "dismissed": "not alike in substance",
}


class CompareQuery(Asked, frozen=True, kw_only=True):
    """Which corpus holds the work, and whether it is shown in its own key."""

    corpus: Text = ""
    own: Text = ""


class ComparePages(Desk):
    """Handlers of /match/{phrase}/{work}."""

    def routes(self) -> list[BaseRoute]:
        """Their addresses."""
        here = "/match/{phrase}/{work}"
        return [
            Route("/judgements/next", self.next),
            Route(here, self.compare),
            Route(here + "/judge", self.judge, methods=["POST"]),
            Route(here + "/shown", self.shown, methods=["POST"]),
        ]

    async def compare(self, request: HttpRequest) -> Response:
        """Both side by side."""
        query = asked(request, CompareQuery)
        reviewer = reviewer_of(request)
        phrase, work = request.path_params["phrase"], request.path_params["work"]
        history = self.service.history

        def found() -> dict[str, Any]:
            blind = reviewer.listens_first and self._unheard(phrase, work, reviewer)
            detail = history.comparison(phrase, work, corpus=query.corpus or None, blind=blind)
            if not blind and reviewer.name:
                history.shown(phrase, work, who=reviewer.signature)
            told = {
                "phrase_id": phrase,
                "phrase_name": detail.phrase.name if detail.phrase else "The phrase",
                "work": detail.work,
                "corpus": detail.corpus,
                "blind": blind,
                "why": detail.why,
                "match": detail.match,
                "verdict": detail.verdict,
                "told_style": detail.style,
                "judgements": detail.judgements,
                "mine": _mine(detail.judgements, reviewer),
            }
            return told | _drawn(detail, query.own == "yes")

        values = await self.ask(found)
        return await self.page(
            request,
            "compare.html.j2",
            query=query_of(request),
            likeness=LIKENESS,
            marks=MARK_WORDS,
            questions=QUESTIONS,
            style_note=STYLE_NOTE,
            sign_words=SIGNS,
            bar=lambda share, told: Markup(plots.bar_svg(share, told)),
            own_key=query.own == "yes",
            **values,
        )

    def _unheard(self, phrase: str, work: str, reviewer: Reviewer) -> bool:
        """Whether this reviewer has neither rated this match nor been shown its numbers."""
        state = self.service.history.state()
        rated = any(
            (one.work_id, one.who) == (work, reviewer.signature)
            for one in state.judged.get(phrase, ())
        )
        return not rated and (phrase, work, reviewer.signature) not in state.revealed

    async def judge(self, request: HttpRequest) -> Response:
        """A rating, a mark, or both."""
        asked(request, CompareQuery)
        phrase, work = request.path_params["phrase"], request.path_params["work"]
        form = await form_of(request)
        who = checked_name(form.get("who", ""))
        likeness = form.get("likeness", "")
        if likeness and not likeness.isdigit():
            raise BadInput(f"likeness is {likeness[:20]!r}; legal is 1 to 5")
        await self.ask(
            lambda: self.service.history.judge(
                phrase,
                work,
                who=who,
                likeness=int(likeness) if likeness else None,
                mark=form.get("mark") or None,
                note=form.get("note", "").strip(),
                corpus=request.query_params.get("corpus") or None,
                by_ear=form.get("by_ear") == "yes",
            )
        )
        answer = self._back(request, "#judgement" if form.get("by_ear") != "yes" else "")
        remember(answer, Reviewer(who, reviewer_of(request).listens_first))
        return answer

    async def shown(self, request: HttpRequest) -> Response:
        """Show the numbers to who does not want to rate."""
        asked(request, CompareQuery)
        phrase, work = request.path_params["phrase"], request.path_params["work"]
        who = reviewer_of(request).signature
        await self.ask(lambda: self.service.history.shown(phrase, work, who=who))
        return self._back(request)

    async def next(self, request: HttpRequest) -> Response:
        """The next match that this reviewer has neither rated nor seen, in no telling order."""
        reviewer = reviewer_of(request)
        if not reviewer.name:
            return onward(request, link("/reviewer", {}, next="/judgements/next", ear="yes"))
        place = await self.ask(lambda: self._next(reviewer))
        answer = onward(request, place or "/judgements")
        remember(answer, Reviewer(reviewer.name, True))
        return answer

    def _next(self, reviewer: Reviewer) -> str:
        history = self.service.history
        page = history.phrases(limit=200)
        for row in sorted(page.rows, key=lambda row: row.phrase_id):
            detail = history.phrase(row.phrase_id)
            for hit in sorted(detail.hits, key=lambda hit: hit.work_id):
                if hit.aligned and self._unheard(row.phrase_id, hit.work_id, reviewer):
                    return link(f"/match/{row.phrase_id}/{hit.work_id}", {}, corpus=hit.corpus)
        return ""

    def _back(self, request: HttpRequest, place: str = "") -> Response:
        path = request.url.path.rsplit("/", 1)[0]
        corpus = request.query_params.get("corpus")
        return onward(request, link(path, {}, corpus=corpus) + place)


def _mine(judgements: list[Any], reviewer: Reviewer) -> Any:
    """The latest judgement of this reviewer."""
    own = [one for one in judgements if one.who == reviewer.signature]
    return own[-1] if own else None


def _drawn(detail: Any, own_key: bool) -> dict[str, Any]:
    """Pictures, sounds and words of both sides; nothing where they cannot be drawn."""
    comparison: Comparison | None = detail.comparison
    verdict = {} if detail.verdict is None else {"plots": verdict_plots(detail.verdict)}
    if comparison is None:
        return {"comparison": None, "sounds": "", "shift": 0, "plots": {}, **verdict}
    metre = metre_of(detail.phrase_score)
    seen = in_own_key(comparison) if own_key else comparison
    shift = comparison.semitones
    title = detail.work.title or detail.work.id[:12]
    where = f"{title}, in its own key" if own_key or not shift else f"{title}, {interval(shift)}"
    notation = staves(seen, metre, title="Both in staff notation", ident="staff")
    picture = aligned_svg(seen, metre, titles=("The phrase", where), role="human", ident="both")
    return {
        "comparison": comparison,
        "shift": shift,
        "sounds": json_text(sounds_of_both(comparison, metre)),
        # Made by the report's own drawing, which escapes all it is given.
        "picture": Markup(picture),
        "notation": notation,
        "notation_picture": Markup(notation.picture),
        "found_rows": rows(comparison),
        "words": in_words(comparison),
        "plots": {},
        **verdict,
    }


def in_own_key(comparison: Comparison) -> Comparison:
    """The same with the work's notes at the pitches that stand in the work."""
    work = tuple(msgspec.structs.replace(note, pitch=note.written) for note in comparison.work)
    return msgspec.structs.replace(comparison, work=work, semitones=0)
