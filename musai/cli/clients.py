"""`musai clients`: what to put into a DAW, listed and copied."""

import shutil
import sys
from pathlib import Path

import click

from musai.cli.common import json_option, say_json
from musai.errors import NotFound
from musai.files import write_whole
from osc_bridge.shelf import FOLDER, SHELF, Shelved, contents, homes, shelved


@click.command("clients")
@click.argument("names", nargs=-1, metavar="[CLIENT]...")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The folder to copy into (default: where the host looks for its scripts).",
)
@json_option
def clients(names: tuple[str, ...], to: Path | None, as_json: bool) -> None:
    """List what can be put into a DAW, or copy it: musai clients ardour.

    Each client comes with a page that says how to use it.  Scripts that run musai are copied with
    its place written inside, so that a host started from the desktop finds it.
    """
    chosen = {name: shelved(name) for name in names} or (dict(SHELF) if to is not None else {})
    if not chosen:
        return _list(as_json)
    written = [path for name, one in chosen.items() for path in _copy(name, one, to)]
    if as_json:
        say_json([str(path) for path in written])
    else:
        for path in written:
            click.echo(path)
    return None


def _copy(name: str, client: Shelved, to: Path | None) -> list[Path]:
    places = [to] if to is not None else homes(client)
    if not places:
        raise NotFound(
            f"no folder of {client.host} was found here; name one: musai clients {name} --to FOLDER"
        )
    written = []
    for place in places:
        for file, data in contents(client, command()):
            write_whole(place / file, data)
            written.append(place / file)
    return written


def command() -> Path | None:
    """Where the musai that runs is to be found by others; None where it has no file of its own."""
    ending = ".exe" if sys.platform == "win32" else ""
    beside = Path(sys.executable).with_name(f"musai{ending}")
    if beside.is_file():
        return beside
    found = shutil.which("musai")
    return Path(found) if found else None


def _list(as_json: bool) -> None:
    rows = {
        name: {
            "host": one.host,
            "file": str(FOLDER / one.file) if one.file else None,
            "page": str(FOLDER / one.page),
            "places": [str(place) for place in homes(one)],
        }
        for name, one in SHELF.items()
    }
    if as_json:
        return say_json(rows)
    for name, row in rows.items():
        click.echo(f"{name:8}{row['host']}")
        for label in ("file", "page"):
            if row[label]:
                click.echo(f"        {label}  {row[label]}")
        for place in row["places"] or ():
            click.echo(f"        goes to  {place}")
    click.echo("\nCopy one with: musai clients NAME, or musai clients NAME --to FOLDER")
    return None


COMMANDS: tuple[click.Command, ...] = (clients,)
