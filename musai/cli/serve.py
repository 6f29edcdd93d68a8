"""`musai serve`: service, OSC bridge and page put together.  Nothing else assembles them."""

import json
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from musai import folders
from musai.cli.common import model_option
from musai.cli.demo import demo
from musai.service import Service
from musai.service.core import DEFAULT_CORPUS
from musai.web import PageServer, create_app
from musai.web.server import PORT as WEB_PORT
from osc_bridge.addresses import DEFAULT_PORT
from osc_bridge.background import BridgeThread

TICK = 0.25
"""Seconds between two looks at how far a corpus is."""


@click.command("serve")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="OSC, UDP and TCP; 0: any.")
@click.option("--web-port", default=WEB_PORT, show_default=True, help="The page; 0: any.")
@click.option("--corpus", "corpora", multiple=True, help="Compare with this corpus (repeatable).")
@click.option("--home", type=click.Path(path_type=Path), help="Where corpora and ledger lie.")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one JSON value.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input closes.")
@click.option("--record/--no-record", default=True, hidden=True, help="Write server.json.")
@model_option
def serve(
    port: int,
    web_port: int,
    corpora: tuple[str, ...],
    home: Path | None,
    browser: bool,
    as_json: bool,
    with_parent: bool,
    record: bool,
    model: str | None,
) -> None:
    """Serve the page and OSC on this machine until Ctrl-C.

    The first time, the corpus that phrases are compared with is built in
    the background; music plays at once, the overlap light follows.
    """
    if home is not None:
        os.environ["MUSAI_HOME"] = str(home.absolute())
    stop = threading.Event()
    with _stopped_by_signals(stop), ExitStack() as stack:
        service = stack.enter_context(
            Service(model=model, corpora=corpora or (DEFAULT_CORPUS,), build=True)
        )
        page = stack.enter_context(PageServer(create_app(service), web_port))
        bridge = BridgeThread(
            service,
            port=port,
            record=folders.home() / "server.json" if record else None,
            extra={"web": page.url},
        )
        stack.enter_context(bridge)
        addresses = {"web": page.url, "osc": dict(bridge.bridge.addresses), "pid": os.getpid()}
        if as_json:
            click.echo(json.dumps(addresses))
            sys.stdout.flush()
        else:
            _welcome(addresses)
        if browser and not as_json and has_screen(os.environ, sys.platform):
            webbrowser.open(page.url)
        if with_parent:
            threading.Thread(target=_until_input_closes, args=(stop,), daemon=True).start()
        _wait(service, stop, quiet=as_json)


def has_screen(environment: "os._Environ[str] | dict[str, str]", platform: str) -> bool:
    """Whether opening a browser makes sense: not over ssh, and on Linux only under a display."""
    if "SSH_CONNECTION" in environment or environment.get("CI"):
        return False
    shown = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return not platform.startswith("linux") or bool(shown)


def _welcome(addresses: dict[str, Any]) -> None:
    click.echo(f"the page    {addresses['web']}")
    for kind, url in sorted(addresses["osc"].items()):
        click.echo(f"OSC {kind:<7} {url}")
    click.echo("Ctrl-C ends it.")


def _wait(service: Service, stop: threading.Event, quiet: bool) -> None:
    """Until asked to stop; meanwhile say how the light comes along."""
    console = Console(highlight=False)
    said = ""
    while not stop.wait(TICK):
        if quiet:
            continue
        now = _state(service)
        if now != said:
            said = now
            # On a terminal every step; in a log only what ends one.
            if console.is_terminal or "%" not in now:
                console.print(now, end="\r\n" if "%" not in now else "\r", soft_wrap=True)


def _state(service: Service) -> str:
    described = service.describe()
    if described["model"] is None and described["workers"]["play"]["fault"]:
        return f"no music yet: {described['workers']['play']['fault']}"
    light = described["light"]
    if not light["ready"]:
        return f"the overlap light is grey: {light['why']}"
    works = sum(corpus["works"] for corpus in described["corpora"])
    return f"the overlap light is on: {works:,} works"


def _until_input_closes(stop: threading.Event) -> None:
    with suppress(OSError, ValueError):
        while sys.stdin.buffer.read(1):
            pass
    stop.set()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT, SIGTERM and Windows' SIGBREAK set `stop`; what was there before comes back."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handler: Callable[..., None] = lambda *_: stop.set()  # noqa: E731 - a handler takes two
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


COMMANDS: tuple[click.Command, ...] = (serve, demo)
