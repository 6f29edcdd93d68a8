"""`musai midi` with a record of what its port sent: `python -m tests.bench.midi_run FILE ...`."""

import sys
from pathlib import Path

from musai.cli import main
from osc_bridge import midi_client


class Recording(midi_client.MidiClient):
    """The same client, with a hook."""

    def __init__(self, options: midi_client.MidiOptions, tell: object) -> None:
        """Rows go to `FILE`."""
        super().__init__(options, tell, sent=_row)  # type: ignore[arg-type]


def _row(due: float, at: float, strikes: bool) -> None:
    print(due, at, int(strikes), file=ROWS, flush=True)


if __name__ == "__main__":
    with Path(sys.argv.pop(1)).open("w", encoding="utf-8") as ROWS:
        midi_client.MidiClient = Recording  # type: ignore[misc]
        sys.argv[:] = ["musai", "midi", *sys.argv[1:]]
        main()
