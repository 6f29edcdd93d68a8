"""`musai midi`: virtual MIDI ports for any DAW; `musai jam`: jams that were, played again."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import click

from musai import folders
from musai.cli.ask import server_of
from musai.errors import BadInput
from osc_bridge.midi_client import Clock, MidiOptions, play
from osc_bridge.rows import Arg


def _legal(arg: Arg) -> str:
    if arg.legal:
        return f"{arg.doc}: {' or '.join(arg.legal)}."
    if arg.low is None:
        return f"{arg.doc}."
    return f"{arg.doc}: {arg.low:g} to {arg.high:g} {arg.unit}".strip() + "."


def _jam_options(command: Any) -> Any:
    """One option for every parameter of a jam."""
    from osc_bridge.jam_addresses import JAM_PARAMETERS

    kinds = {"int": int, "float": float, "bool": bool}
    for arg in reversed(JAM_PARAMETERS.values()):
        kind: Any = click.Choice(arg.legal) if arg.legal else kinds.get(arg.kind, str)
        command = click.option(f"--{arg.name}", f"jam_{arg.name}", type=kind, help=_legal(arg))(
            command
        )
    return command


@click.command("midi")
@click.option(
    "--clock",
    type=click.Choice(["auto", "own", "midi", "link"]),
    default="auto",
    show_default=True,
    help="Whose time: MIDI clock as soon as it comes (auto), our own, MIDI clock, Ableton Link.",
)
@click.option("--tempo", default=120.0, show_default=True, help="Of our own clock.")
@click.option("--session", default="", help="Join the session of this name.")
@click.option("--name", default="musai", show_default=True, help="What the ports are called.")
@click.option("--api", type=click.Choice(["alsa", "jack", "core", "mm"]), help="Which MIDI system.")
@click.option("--out", "out_port", default="", help="Play to an existing port of this name.")
@click.option("--in", "in_port", default="", help="Listen to an existing port of this name.")
@click.option("--early", default=0.0, help="Send everything so many milliseconds early.")
@click.option("--key", help="Key of the answers: C, F#, Bbm.")
@click.option("--density", type=float, help="Notes a bar of the answers.")
@click.option("--collection", help="Sound like the works of this collection.")
@click.option("--server", metavar="HOST:PORT", help="Default: the server running here.")
@click.option("--token", default="", help="Where the server asks for one.")
@_jam_options
def midi(
    clock: str,
    tempo: float,
    session: str,
    name: str,
    api: str | None,
    out_port: str,
    in_port: str,
    early: float,
    server: str | None,
    token: str,
    **rest: Any,
) -> None:
    """Play with musai from any DAW: a MIDI port in, one out, in time.

    Play two bars into the port; musai answers in the next two.  MIDI channels are voices.  Control
    changes from 64 on are buttons: 102 your turn, 103 again, 104 again but different, 105 back,
    106 keep, 107 discard, 119 panic.  Needs a running server: musai serve.
    """
    if not 20 <= tempo <= 400:
        raise BadInput(f"tempo is {tempo:g}; legal is 20 to 400 quarters a minute")
    host, port = server_of(server)
    jam = {key[4:]: value for key, value in rest.items() if key[:4] == "jam_" and value is not None}
    wishes = {key: value for key, value in rest.items() if key[:4] != "jam_" and value is not None}
    options = MidiOptions(
        host, port, cast(Clock, clock), tempo, session, name, api or "", out_port, in_port,
        early / 1000, jam, wishes, token,
    )  # fmt: skip
    with suppress(KeyboardInterrupt):
        asyncio.run(play(options, click.echo))


@click.group("jam")
def jam() -> None:
    """Jams that were: their logs, and the same notes again from them."""


@jam.command("list")
def list_() -> None:
    """List the logs of jams, newest first."""
    found = sorted((folders.home() / "jams").glob("*.jsonl"), reverse=True)
    for path in found:
        click.echo(f"{path}  {path.stat().st_size / 1024:,.0f} kB")
    if not found:
        click.echo("no jam yet; musai midi and docs/jam.md tell how")


@jam.command("replay")
@click.argument("log", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--model", metavar="NAME", help="The model that plays (default: tunebook).")
@click.option("--no-model", is_flag=True, help="Take the model's notes from the log too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value on standard output.")
def replay(log: Path, model: str | None, no_model: bool, as_json: bool) -> None:
    """Feed a jam's recorded inputs again, without a clock, and compare every note.

    The model makes its notes anew from what the jam asks of it.  Exit code 1 where anything
    differs.
    """
    from musai.cli.common import say_json
    from musai.transformer import Player
    from osc_bridge.jam_replay import replayed

    player = None if no_model else Player.open(model)
    result = replayed(log, player)
    if as_json:
        say_json(result.plain())
    else:
        click.echo(result.sentence())
    if result.differs:
        raise click.exceptions.Exit(1)


COMMANDS: tuple[click.Command, ...] = (midi, jam)
