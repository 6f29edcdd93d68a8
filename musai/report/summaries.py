"""A dossier in words and small tables, the same for its page, its PDF and the command line."""

from collections.abc import Iterator

from musai.report.assemble import SEVERITY
from musai.report.dossier import (
    MARKS,
    Agreement,
    Calibration,
    Cell,
    Correction,
    Dossier,
    Entry,
    Finding,
    Judgement,
)
from musai.report.drawn import MAX_ENTRIES
from musai.report.names import counted, day, listed, number, percent


def headline(dossier: Dossier) -> str:
    """The result in a sentence."""
    found, of = dossier.correction.significant, dossier.searched
    if dossier.owner:
        near = len(dossier.entries)
        mine = sum(_significant(dossier, entry.number) for entry in dossier.entries)
        return (
            f"{_some(mine)} of {counted(of, 'phrase')} {_has(mine)} a significant match with these "
            f"works; {near} name{'s' if near == 1 else ''} one among the nearest"
        )
    if not dossier.correction.tested:
        return f"{counted(of, 'phrase')}, none of them rated"
    return f"{_some(found)} of {counted(of, 'phrase')} {_has(found)} a significant match"


def _some(count: int) -> str:
    return f"{count:,}" if count else "None"


def _has(count: int) -> str:
    return "has" if count <= 1 else "have"


def _significant(dossier: Dossier, entry: int) -> bool:
    return dossier.entries[entry - 1].significant and any(
        one.entry == entry and one.match.significant for one in dossier.findings
    )


def correction_words(told: Correction) -> str:
    """The error rate, and what the correction can and cannot find."""
    if not told.tested:
        return "There was nothing to rate the phrases against, so there are no p-values."
    words = (
        f"Corrected once over the {counted(told.tested, 'phrase')} that could be rated, so that of the "
        f"phrases called significant one in {round(1 / told.level)} is expected to be chance "
        f"(q at or below {number(told.level)}). By {'itself' if told.alone == 1 else 'themselves'} "
        f"{told.alone} stood at .01 or below, where chance alone gives about "
        f"{number(round(0.01 * told.tested, 2))}."
    )
    if told.least is not None and told.least > told.level:
        words += (
            f" With so many phrases one alone cannot reach significance (at best q = "
            f"{number(told.least)}): only several strong matches together can."
        )
    return words


def figures(dossier: Dossier) -> list[tuple[str, str]]:
    """The numbers of the first page, each with what it counts."""
    works = {one.match.work.id for one in dossier.findings if one.match.significant}
    return [
        (f"{dossier.searched:,}", "phrases compared"),
        (
            f"{dossier.correction.significant:,}",
            "with a significant match after correction",
        ),
        (f"{len(works):,}", "works in significant matches"),
        (
            f"{sum(1 for one in dossier.findings if one.mark):,}",
            "matches marked by a reviewer",
        ),
    ]


def judged_words(dossier: Dossier) -> str:
    """What people found, in a line; empty where nobody looked."""
    marks = [one.mark for one in dossier.findings if one.mark]
    if not marks:
        return ""
    counts = [f"{marks.count(mark)} {mark}" for mark in MARKS if mark in marks]
    return f"Reviewers marked {counted(len(marks), 'match').replace('matchs', 'matches')}: {', '.join(counts)}."


def pictured_words(dossier: Dossier, made: int) -> str:
    """How many matches are drawn, and where the others stand."""
    rest = len(dossier.findings) - made
    what = (
        "The strongest match is drawn." if made == 1 else f"The {made} strongest matches are drawn."
    )
    return what if rest <= 0 else f"{what} {rest:,} more stand in the JSON and the CSV."


def agreement_words(told: Agreement) -> str:
    """How well people and numbers agree."""
    if told.rho is None:
        if not told.n:
            return "No match was rated by ear before its numbers were shown, so there is no agreement to tell."
        return f"How well ears and scores agree is not told: {told.why}."
    return (
        f"Ratings by ear, given before the numbers were shown, go with the matcher\u2019s scores at a rank "
        f"correlation of {number(told.rho)} (95%: {number(told.low)} to {number(told.high)}; "
        f"{told.n} matches, {counted(told.reviewers, 'reviewer')})."
    )


def marks_table(told: Agreement) -> list[tuple[str, list[int]]]:
    """Lights from red to grey, each with the count of every mark."""
    counts = {(one.light, one.mark): one.count for one in told.marks}
    lights = sorted({one.light for one in told.marks}, key=lambda light: -SEVERITY[light])
    return [(light, [counts.get((light, mark), 0) for mark in MARKS]) for light in lights]


def judgements(dossier: Dossier) -> list[tuple[Finding, Judgement]]:
    """Every judgement with its match, oldest first."""
    told = [(one, judged) for one in dossier.findings for judged in one.judgements]
    return sorted(told, key=lambda pair: pair[1].seq)


def musics(told: Calibration) -> list[str]:
    """The kinds of music that were measured, in order."""
    return list(dict.fromkeys(cell.music for cell in told.cells))


def rates(told: Calibration) -> list[tuple[str, list[Cell]]]:
    """The calibration as rows of a table."""
    return list(_rates(told))


def _rates(told: Calibration) -> Iterator[tuple[str, list[Cell]]]:
    for question in dict.fromkeys(cell.question for cell in told.cells):
        yield question, [cell for cell in told.cells if cell.question == question]


def compared(dossier: Dossier) -> list[tuple[str, str]]:
    """What was compared with what, when, by which versions: label and text."""
    rows = [("Phrases", f"{counted(dossier.searched, 'phrase')}{when(dossier)}")]
    rows += [
        ("Made by", f"the model {one.name} ({one.id[:12]}), {counted(one.phrases, 'phrase')}")
        for one in dossier.models
    ]
    for corpus in dossier.corpora:
        held = ""
        if corpus.null_size:
            of = f" of {corpus.null_reference}" if corpus.null_reference else ""
            held = (
                f"; held against {counted(corpus.null_size, 'phrase')} of unrelated works{of}, "
                f"null {corpus.null_version[:24]}"
            )
        rows.append(
            ("With", f"{corpus.name}, {counted(corpus.works, 'work')} ({corpus.id[:12]}){held}")
        )
    if not dossier.corpora:
        rows.append(("With", "no corpus: nothing was compared"))
    rows.append(("By", ", ".join(f"{name} {v}" for name, v in dossier.software.items())))
    if dossier.owner:
        rows.append(("Listed", f"matches with works of {dossier.owner} alone"))
    return rows


def when(dossier: Dossier) -> str:
    """When its phrases were made or read, to stand behind their number."""
    if not dossier.first:
        return ""
    first, last = day(dossier.first), day(dossier.last)
    return f", {first}" if first == last else f", from {first} to {last}"


def reach(dossier: Dossier) -> str:
    """What a reader of the first page alone must not miss."""
    return (
        f"{dossier.limits[0].text} Likeness is not a judgement: what follows from it is for people to "
        "say. The methods and their measured limits stand below."
    )


def entries_note(dossier: Dossier) -> str:
    """What stands under the table of phrases."""
    told = dossier.correction
    words = (
        f"q is p after one correction over all {counted(told.tested, 'phrase')} that have one; bold "
        f"rows stay at {number(told.level)} or below."
    )
    more = len(dossier.entries) - MAX_ENTRIES
    return f"{words} {counted(more, 'phrase')} more stand in the JSON." if more > 0 else words


def matches_note(dossier: Dossier, count: int) -> str:
    """What stands under the table of matches."""
    words = (
        "Listed are matches that are significant by themselves or were judged, and the nearest work of "
        f"each phrase under an amber or a red light: {count:,} of {len(dossier.findings):,}. The JSON and "
        "the CSV have all. p and q here are the work\u2019s own, corrected for all works searched; bold rows "
        "are significant in a phrase that is."
    )
    starred = any(one.match.extrapolated for one in dossier.findings)
    return f"{words} * extrapolated: beyond what was counted." if starred else words


def finding_words(entry: Entry, one: Finding, name: str) -> str:
    """A match in a line; `name` is the phrase's, as the reader of the format needs it."""
    both = one.match.significant and entry.significant
    mark = f"; a reviewer found it {one.mark}" if one.mark else ""
    return (
        f"in {name}: {counted(one.match.longest_run, 'note')} in a row alike, "
        f"{percent(one.match.coverage_query)} of the phrase; "
        f"{'significant' if both else 'not significant after correction'}{mark}"
    )


def human(one: Finding) -> str:
    """What people found of a match, in a few words."""
    rated = f"likeness {one.likeness} of 5" if one.likeness else ""
    return ", ".join(filter(None, (one.mark, rated))) or "\u2013"


def owner_lines(one: Finding) -> list[str]:
    """Who owns a work and on what terms, in lines."""
    work = one.match.work
    lines = [
        f"Licence {work.licence or 'not stated'} · owner {listed(work.holders) or 'not recorded'}"
        + (f" · from {work.collection}" if work.collection else "")
    ]
    if work.attribution:
        lines.append(f"Attribution: {work.attribution}")
    if work.source:
        lines.append(f"Source: {work.source}")
    if one.judgements:
        lines.append(f"People: {human(one)}")
    return lines


def ids(dossier: Dossier) -> list[tuple[str, str]]:
    """What the report rests on, each with its id."""
    rows = list(dossier.ledger.items())
    rows += [(f"Corpus {one.name}", one.id) for one in dossier.corpora]
    rows += [
        (f"Null of {one.name}", one.null_version) for one in dossier.corpora if one.null_version
    ]
    rows += [
        (f"Scores of {one.name}", one.scores_version)
        for one in dossier.corpora
        if one.scores_version
    ]
    return rows + [(f"Model {one.name}", one.id) for one in dossier.models]
