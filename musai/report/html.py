"""A report as one HTML file: no scripts, no outside files, every value escaped.

The page carries its own content security policy: nothing may be loaded, and
the one style sheet is allowed by its hash, so that no markup smuggled into a
title could style or run anything even if it were not escaped.
"""

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from musai.music import Metre
from musai.report import names, plots, wording
from musai.report.aligned import aligned_svg, in_words
from musai.report.differences import Row, rows
from musai.report.lights import light_svg
from musai.report.records import Match, Report, Score, Verdict
from musai.report.roll import Role, roll_svg, style_sheet, summary
from musai.report.scores import metre_of, phrase_of
from musai.report.staves import staves
from musai.report.svg import printable


def render_html(report: Report) -> str:
    """The whole page as text (UTF-8 when written)."""
    style = _style()
    subject = report.subject
    metre = metre_of(subject.score) if subject.score else Metre()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            style=Markup(style),
            policy=policy(),
            light=wording.LIGHTS[report.verdict.light],
            light_picture=Markup(light_svg(report.verdict.light)),
            questions=wording.QUESTIONS,
            tempo=names.tempo_text(metre.tempos) if subject.score else "",
            term_words=wording.TERM_WORDS,
            say=names,
            in_words=in_words,
            phrase_picture=_picture(subject.score, _role(report), "phrase", "The phrase"),
            phrase_in_words=summary(phrase_of(subject.score)) if subject.score else "",
            prompt_picture=_picture(
                report.player.prompt if report.player else None,
                "human",
                "prompt",
                "What the human played",
            ),
            comparisons=[
                (match, _comparison(match, metre, _role(report)), *_notes(match, metre))
                for match in report.matches
                if match.comparison is not None
            ],
            plots=verdict_plots(report.verdict),
            bar=lambda share, told: Markup(plots.bar_svg(share, told)),
            style_note=wording.STYLE_NOTE,
            sign_words=wording.SIGNS,
            ranks={match.work.id: match.rank for match in report.matches},
        )
    )


def policy() -> str:
    """The content security policy of a report page, for a header or for the page itself."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _role(report: Report) -> Role:
    return "musai" if report.subject.origin == "generated" else "human"


def _picture(score: Score | None, role: Role, ident: str, title: str) -> Markup:
    if score is None:
        return Markup("")
    # roll_svg escapes all it is given.
    return Markup(roll_svg(phrase_of(score), title=title, role=role, ident=ident))


def _comparison(match: Match, metre: Metre, role: Role) -> Markup:
    if match.comparison is None:
        return Markup("")
    title = match.work.title or match.work.id[:12]
    shift = match.comparison.semitones
    where = f"{title}, in its own key" if shift == 0 else f"{title}, {names.interval(shift)}"
    return Markup(
        aligned_svg(
            match.comparison,
            metre,
            titles=("This phrase", where),
            role=role,
            ident=f"match{match.rank}",
        )
    )


def _notes(match: Match, metre: Metre) -> tuple[Markup, str, list[Row]]:
    """Both passages as staff notation, what is to say of it, and the table of differences."""
    assert match.comparison is not None
    title = f"Match {match.rank} in staff notation"
    drawn = staves(match.comparison, metre, title=title, ident=f"staff{match.rank}")
    # Made from notes alone, element by element; no title enters.
    return Markup(drawn.picture), drawn.caption, rows(match.comparison)


def verdict_plots(verdict: Verdict) -> dict[str, Markup]:
    """The pictures of the sentences that were computed."""
    made: dict[str, str] = {}
    if verdict.chance is not None:
        made["chance"] = plots.scale_svg(verdict.chance.p_value, verdict.chance.size)
    if verdict.spread is not None and verdict.statistic is not None:
        made["style"] = plots.spread_svg(verdict.spread, verdict.statistic)
    elif verdict.p_value is not None:
        made["style"] = plots.scale_svg(verdict.p_value, verdict.null_size)
    if verdict.common is not None:
        made["common stock"] = plots.common_svg(verdict.common)
    computed = {sentence.about for sentence in verdict.sentences if sentence.computed}
    return {about: Markup(picture) for about, picture in made.items() if about in computed}


@cache
def _style() -> str:
    return "\n" + style_sheet("tokens", "pictures", "notation", "lights", "report")


def _shown(value: object) -> object:
    """What a template prints; control characters in titles do not reach the page."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def environment() -> Environment:
    """What renders the templates of this room: every value escaped, an unknown one an error."""
    made = Environment(
        loader=PackageLoader("musai.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # For what this room draws itself, element by element, with all text in it escaped.
    made.filters["drawing"] = Markup
    return made
