"""The builder's process."""

from musai.service import wire
from musai.service.worker import Pipes


def run_builder(pipes: Pipes, builder: str) -> None:
    """Serve until the pipe closes."""
    pipes.say(wire.Ready({}, {}))
    while True:
        pipes.next()
