"""`musai match`: the works that a MIDI file is like, and what to think of it."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musai.cli.common import bars, json_option, read_phrase, say_json

if TYPE_CHECKING:
    from musai.match import Hit, Matcher, Matches
    from musai.match.hits import Common
    from musai.music import Phrase

DEFAULT = "tunebook"

COMMON = 5
"""Hits whose passages are looked for in all works: each takes a search of its own."""

STYLE = {"grey": "bright_black", "green": "green", "amber": "yellow", "red": "red"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--corpus", "corpora", multiple=True, help="Compare with this corpus (repeatable).")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 1000), help="Works.")
@click.option("--no-wait", is_flag=True, help="Give no verdict rather than build a missing null.")
@click.option("--whole", metavar="WORK", help="Lay the file out against this one work instead.")
@json_option
def match(
    file: Path, corpora: tuple[str, ...], top: int, no_wait: bool, whole: str | None, as_json: bool
) -> None:
    """Find the works that a MIDI FILE is like.

    Prints for each corpus the verdict on the file's music, what chance, style
    and common stock say of it, and the nearest works.  "No significant match" is a result.  The first time a corpus is
    searched its index is built, and its null, which takes minutes; both are kept.
    """
    phrase = read_phrase(file)
    if whole is not None:
        _whole(phrase, corpora[0] if corpora else DEFAULT, whole, as_json)
        return
    held = [opened(name, no_wait, as_json) for name in corpora or (DEFAULT,)]
    found = [(matcher, matcher.match(phrase, top, common=COMMON)) for matcher in held]
    if as_json:
        say_json([_plain(matches) for _, matches in found])
        return
    for _, matches in found:
        _print(matches)


def _whole(phrase: "Phrase", corpus: str, work: str, as_json: bool) -> None:
    """Print how a phrase and one work (its id or the first digits of it) answer each other."""
    from musai.corpus import Corpus

    work_id = Corpus.open(corpus).work(work).id
    version = opened(corpus, True, as_json).lay_out(phrase, work_id)
    if as_json:
        say_json(dataclasses.asdict(version))
        return
    click.echo(
        f"{len(version.pairs)} pairs of {version.notes} notes and {version.work_notes} of the work; "
        f"{version.equal} equal at {version.transposition:+d} semitones"
    )
    click.echo(f"an expert is expected to agree on {version.expected:.0%} of the notes")
    for (mine, theirs), sure in zip(version.pairs, version.certainty, strict=True):
        click.echo(f"  {mine + 1:>5} {theirs + 1:>5}  {sure:.2f}")


def opened(name: str, no_wait: bool, quiet: bool) -> "Matcher":
    """A matcher, its index and null built where they are missing, with a bar while that lasts."""
    from musai.match import Matcher

    with bars(name, quiet) as progress:
        return Matcher.open(name, null="there" if no_wait else "build", progress=progress)


def _plain(matches: "Matches") -> dict[str, Any]:
    from musai.report.facts import sentences

    return {
        "sentences": [
            {"about": said.about, "text": said.text, "computed": said.computed}
            for said in sentences(matches.verdict)
        ],
        "verdict": dataclasses.asdict(matches.verdict),
        "hits": [dataclasses.asdict(hit) for hit in matches],
    }


def _print(matches: "Matches") -> None:
    from musai.report.facts import sentences

    verdict = matches.verdict
    light = click.style(verdict.light, fg=STYLE[verdict.light], bold=True)
    p = "no p" if verdict.p_value is None else f"p = {verdict.p_value:.4f}"
    click.echo(f"{verdict.corpus}: {light} ({p}, longest run {verdict.longest_run} notes)")
    click.echo(f"  {verdict.sentence}")
    for said in sentences(verdict):
        click.echo(f"  {said.about}: {said.text}")
    if len(matches):
        _table(list(matches))


def _table(hits: "list[Hit]") -> None:
    """Two lines a work: what it is, then the numbers under their names; fits 80 columns."""
    width = max(2, len(str(len(hits))))
    names = "bits", "run", "of it", "moved", "tempo", "p", "q"
    click.echo(f"  {'':{width}}  " + " ".join(f"{name:>8}" for name in names))
    for number, hit in enumerate(hits, 1):
        by = f", {hit.composer}" if hit.composer else ""
        click.echo(f"  {number:>{width}}  {hit.title or hit.path}{by} ({hit.licence})")
        values = (
            f"{hit.score:.1f}",
            str(hit.longest_run),
            f"{hit.coverage_query:.0%}",
            f"{hit.transposition:+d}",
            f"x{hit.tempo_ratio:.2f}",
            _small(hit.p_value),
            _small(hit.q_value),
        )
        click.echo(f"  {'':{width}}  " + " ".join(f"{value:>8}" for value in values))
        if shared := _shared(hit.common):
            click.echo(f"  {'':{width}}  {shared}")


def _shared(common: "Common | None") -> str:
    """How common a hit's passage is, in a line; empty where that was not counted."""
    if common is None:
        return ""
    if common.works <= 1:
        return "passage in no other work at 90% of its score"
    works = (
        f"passage in {common.works} works by {common.authors} author{'s' * (common.authors != 1)}"
    )
    return f"{works}: {', '.join(common.examples)}" if common.examples else works


def _small(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


COMMANDS: tuple[click.Command, ...] = (match,)
