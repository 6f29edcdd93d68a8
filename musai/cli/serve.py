"""`musai serve`: service, OSC bridge and page put together.  Nothing else assembles them."""

import json
import os
import secrets
import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from musai import folders
from musai.cli.common import model_option
from musai.cli.light import settling
from musai.service import Service
from musai.service.core import DEFAULT_CORPUS
from musai.service.in_use import kept
from musai.web import PageServer, create_app
from musai.web.server import HOST
from musai.web.server import PORT as WEB_PORT
from osc_bridge.addresses import DEFAULT_PORT
from osc_bridge.background import BridgeThread
from osc_bridge.jam_logs import Kept

SWITCH = 0.0005
"""Seconds after which a thread that computes lets another one have the interpreter."""
TICK = 0.25
"""Seconds between two looks at how far a corpus is."""


@click.command("serve")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="OSC, UDP and TCP; 0: any.")
@click.option("--web-port", default=WEB_PORT, show_default=True, help="The page; 0: any.")
@click.option("--lan", is_flag=True, help="Let other machines in that present the printed token.")
@click.option("--corpus", "corpora", multiple=True, help="Compare with this corpus (repeatable).")
@click.option(
    "--jam-days",
    default=Kept().days,
    show_default=True,
    help="Days for which logs of jams are kept.",
)
@click.option(
    "--jam-mib",
    default=Kept().mib,
    show_default=True,
    help="MiB of them, the newest first; 0: none.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Where corpora and ledger lie.")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one JSON value.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input closes.")
@click.option("--record/--no-record", default=True, hidden=True, help="Write server.json.")
@model_option
def serve(
    port: int,
    web_port: int,
    lan: bool,
    corpora: tuple[str, ...],
    jam_days: float,
    jam_mib: float,
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
    # A note that waits for the interpreter shall not wait 5 ms for each thread that computes.
    sys.setswitchinterval(SWITCH)
    stop = Stop()
    with _stopped_by_signals(stop), ExitStack() as stack:
        service = stack.enter_context(
            Service(model=model, corpora=corpora or _in_use(), build=True)
        )
        # Ten thousand works take a second to lay out: nobody shall wait for it at the first look.
        threading.Thread(target=service.catalogue.warm, name="musai-warm", daemon=True).start()
        opened = _opened_to_the_network(lan)
        app = create_app(service, token=opened.get("token", ""))
        page = stack.enter_context(PageServer(app, web_port, opened.get("host", HOST)))
        bridge = BridgeThread(
            service,
            port=port,
            record=folders.home() / "server.json" if record else None,
            extra={"web": page.url},
            jams=folders.home() / "jams" if jam_mib > 0 else None,
            kept=Kept(jam_days, jam_mib),
            board=service.jams,
            **opened,
        )
        stack.enter_context(bridge)
        if lan:
            click.echo(f"token for other machines: {opened['token']}", err=True)
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


def _in_use() -> tuple[str, ...]:
    """The default corpus, and those that somebody brought into use from the desk before."""
    return tuple(dict.fromkeys((DEFAULT_CORPUS, *kept(folders.home()))))


def _opened_to_the_network(lan: bool) -> dict[str, str]:
    """Options of bridge and page: all addresses and a token, or neither."""
    return {"host": "0.0.0.0", "token": _token(folders.home())} if lan else {}


def _token(home: Path) -> str:
    """The token of this home, made once; only its owner can read the file."""
    path = home / "lan-token"
    if not path.is_file():
        home.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


@dataclass(slots=True)
class Stop:
    """Set by a signal's handler: a plain value, since a handler that takes a lock which the code
    it interrupted holds waits for ever."""

    asked: bool = False

    def set(self, *_: object) -> None:
        """Ask to stop; asked twice, stop at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


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


def _wait(service: Service, stop: Stop, quiet: bool) -> None:
    """Until asked to stop; meanwhile say how the light comes along."""
    from rich.console import Console

    console = Console(highlight=False, quiet=quiet)
    said = ""
    with console.status("starting") as status:
        while not stop.asked:
            time.sleep(TICK)
            now, settled = _state(service)
            if now == said:
                continue
            said = now
            status.update(now)
            # Steps on the way move the status line of a terminal; a log gets no line for each.
            if settled:
                status.stop()
                console.print(now, soft_wrap=True)


def _state(service: Service) -> tuple[str, bool]:
    """How it goes, and whether that stays so unless something happens."""
    described = service.describe()
    player = described["workers"]["play"]
    if described["model"] is None:
        fault = player["fault"]
        return (f"no music: {fault}", True) if fault else ("the model is being loaded", False)
    light = described["light"]
    if light["ready"]:
        works = sum(corpus["works"] for corpus in described["corpora"])
        return f"the overlap light is on: {works:,} works", True
    coming = settling(described)
    return f"the overlap light is grey: {light['why']}", not coming


def _until_input_closes(stop: Stop) -> None:
    with suppress(OSError, ValueError):
        while sys.stdin.buffer.read(1):
            pass
    stop.asked = True


@contextmanager
def _stopped_by_signals(stop: Stop) -> Iterator[None]:
    """SIGINT, SIGTERM and Windows' SIGBREAK set `stop`; what was there before comes back."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, stop.set) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


COMMANDS: tuple[click.Command, ...] = (serve,)
