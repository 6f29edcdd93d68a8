"""A dossier as one HTML file: no scripts, no outside files, every value escaped, printable."""

import base64
import hashlib
from functools import cache
from typing import Any

from markupsafe import Markup

from musai.report import names, summaries, wording
from musai.report.aligned import in_words
from musai.report.dossier import MARKS, Dossier
from musai.report.drawn import MAX_ENTRIES, Drawn, drawn, shown
from musai.report.html import environment
from musai.report.lights import light_svg
from musai.report.roll import style_sheet


def render_dossier(dossier: Dossier, drawings: list[Drawn] | None = None) -> str:
    """The whole page as text (UTF-8 when written); `drawings` where they were made already."""
    made = drawn(dossier) if drawings is None else drawings
    page: str = environment().get_template("dossier.html.j2").render(view(dossier, made))
    return page


def view(dossier: Dossier, made: list[Drawn]) -> dict[str, Any]:
    """What the template looks at."""
    listed = shown(dossier)
    return {
        "told": dossier,
        "style": Markup(_style()),
        "policy": dossier_policy(),
        "say": names,
        "lights": wording.LIGHTS,
        "lamps": {name: Markup(light_svg(name)) for name in wording.LIGHTS},
        "headline": summaries.headline(dossier),
        "correction": summaries.correction_words(dossier.correction),
        "figures": summaries.figures(dossier),
        "entries": dossier.entries[:MAX_ENTRIES],
        "intents": [one for one in dossier.entries if one.intent],
        "listed": listed,
        "judged": summaries.judged_words(dossier),
        "drawings": made,
        "pictured": {one.finding.number for one in made},
        "pictured_words": summaries.pictured_words(dossier, len(made)),
        "in_words": in_words,
        "sign_words": wording.SIGNS,
        "human": summaries.human,
        "when": summaries.when(dossier),
        "reach": summaries.reach(dossier),
        "entries_note": summaries.entries_note(dossier),
        "matches_note": summaries.matches_note(dossier, len(listed)),
        "finding_words": summaries.finding_words,
        "bdi": names.isolated,
        "ids": summaries.ids(dossier),
        "agreement": summaries.agreement_words(dossier.agreement),
        "marks": MARKS,
        "table": summaries.marks_table(dossier.agreement),
        "said": summaries.judgements(dossier),
        "musics": summaries.musics(dossier.calibration),
        "rates": summaries.rates(dossier.calibration),
    }


def dossier_policy() -> str:
    """The content security policy of the page, for a header or for the page itself."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    sheets = ("tokens", "pictures", "notation", "lights", "report", "dossier")
    return "\n" + style_sheet(*sheets)
