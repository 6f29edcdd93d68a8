"""The matches of a dossier that are drawn note by note, within what a page may weigh."""

from collections.abc import Iterator
from dataclasses import dataclass

from musai.music import Metre
from musai.report import names
from musai.report.aligned import aligned_svg
from musai.report.assemble import listed
from musai.report.differences import Row, rows
from musai.report.dossier import Dossier, Entry, Finding
from musai.report.records import Comparison
from musai.report.roll import Role
from musai.report.scores import metre_of
from musai.report.staves import staves

BUDGET = 3_900_000
"""Characters that all pictures and tables of a page may take together, so that it opens at once."""

MAX_LISTED = 300
"""Matches that a page lists."""

MAX_ENTRIES = 500
"""Phrases that a page lists."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One match as a page shows it: pictures as SVG, safe to put into a page, and its differences."""

    finding: Finding
    entry: Entry
    comparison: Comparison
    staff: str
    caption: str
    roll: str
    rows: list[Row]

    @property
    def weight(self) -> int:
        """About how many characters it takes on a page."""
        return len(self.staff) + len(self.roll) + 420 * len(self.rows) + 2500


def drawn(dossier: Dossier, budget: int = BUDGET) -> list[Drawn]:
    """The strongest matches that have a comparison, as many as fit into the budget."""
    found: list[Drawn] = []
    for one in _drawings(dossier):
        budget -= one.weight
        if budget < 0:
            break
        found.append(one)
    return found


def shown(dossier: Dossier) -> list[Finding]:
    """The matches that a page lists, the strongest first."""
    told = [one for one in dossier.findings if listed(dossier, one)]
    return told[:MAX_LISTED]


def _drawings(dossier: Dossier) -> Iterator[Drawn]:
    for finding in dossier.findings:
        if finding.match.comparison is not None:
            yield _drawing(finding, dossier.entries[finding.entry - 1], finding.match.comparison)


def _drawing(finding: Finding, entry: Entry, comparison: Comparison) -> Drawn:
    metre = metre_of(entry.score) if entry.score else Metre()
    number = finding.number
    told = staves(comparison, metre, title=f"Match {number} in staff notation", ident=f"s{number}")
    title = finding.match.work.title or finding.match.work.id[:12]
    shift = comparison.semitones
    where = f"{title}, in its own key" if shift == 0 else f"{title}, {names.interval(shift)}"
    role: Role = "musai" if entry.origin == "generated" else "human"
    roll = aligned_svg(comparison, metre, titles=(entry.name, where), role=role, ident=f"m{number}")
    return Drawn(finding, entry, comparison, told.picture, told.caption, roll, rows(comparison))
