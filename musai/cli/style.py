"""`musai style`: what kind of music a MIDI file is; for information only."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musai.cli.common import bars, counted, json_option, read_phrase, say_json

if TYPE_CHECKING:
    from musai.style import Overlap, Style

DEFAULT = "tunebook"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--corpus", default=DEFAULT, show_default=True, help="Compare with this corpus.")
@json_option
def style(file: Path, corpus: str, as_json: bool) -> None:
    """Say what kind of music a MIDI FILE is.

    Prints for each composer and collection with 20 works or more how usual
    the file's first 16 bars would be among its passages, and the nearest composers.
    Style is not protected expression: the numbers are for information only.
    The first time, a corpus's features are counted, which takes up to a minute.
    """
    phrase = read_phrase(file)
    found = opened(corpus, as_json).compare(phrase)
    if as_json:
        say_json(dataclasses.asdict(found))
        return
    _print(found)


def opened(name: str, quiet: bool) -> "Style":
    """Style for a corpus, with a bar on standard error while its features are counted."""
    from musai.style import Style

    with bars(name, quiet) as progress:
        return Style.open(name, progress)


def _print(found: "Overlap") -> None:
    click.echo(f"{found.corpus}: {found.sentence}")
    judged = [group for group in found.groups if group.p_value is not None]
    for group in judged:
        click.echo(f"  p = {group.p_value:.3f}  {group.name} ({group.kind}; {group.reason})")
    refused = len(found.groups) - len(judged)
    if refused:
        why = next(group.reason for group in found.groups if group.p_value is None)
        click.echo(f"  grey: {counted(refused, 'group')}, the largest because: {why}")
    for near in found.nearest:
        click.echo(f"  {near.probability:5.1%}  {near.name}")


COMMANDS: tuple[click.Command, ...] = (style,)
