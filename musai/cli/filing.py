"""Files into the ledger and compared in this process: what `musai report FILE` does first."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from musai.cli.common import bars
from musai.cli.match import opened
from musai.corpus.importers import phrase_from, plan
from musai.corpus.reader import KINDS, Reply
from musai.corpus.workers import read_all
from musai.errors import BadInput
from musai.ledger import Ledger
from musai.music import Phrase
from musai.report.bars import bar_count
from musai.service import records
from musai.service.comparing import Answer
from musai.service.matching import compared, severity
from musai.service.styles import Styles

DEFAULT_CORPUS = "tunebook"
STYLE_SECONDS = 60.0


@dataclass(slots=True)
class Filed:
    """Phrases that were entered and compared, and files that could not be read, with why."""

    phrases: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def compare_files(
    ledger: Ledger, paths: Sequence[Path], corpora: tuple[str, ...], no_wait: bool, quiet: bool
) -> Filed:
    """Read each file in a process of its own, enter it, compare it, enter what was found.

    Raises `BadInput` for a path that is not there, and where nothing could be read.
    """
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise BadInput(f"{missing} cannot be read: it is not there")
    items, refused = plan(list(paths))
    filed = Filed(left_out=[(row.file, row.reason) for row in refused])
    session = f"files {datetime.now(UTC).date().isoformat()}"
    with ExitStack() as stack:
        # Read before the corpora are opened: a file that is none should say so at once.
        jobs = [(str(item.path), KINDS[item.path.suffix.lower()], item.sha256) for item in items]
        found = [
            (name, sha256, phrase)
            for index, reply in read_all(jobs)
            for name, sha256, phrase in _tunes(items[index].relative, reply, filed)
        ]
        if not found:
            why = filed.left_out[0] if filed.left_out else ("nothing", "no music is there")
            raise BadInput(f"no music could be read; {why[0]}: {why[1]}")
        held = {
            name: stack.enter_context(closing(opened(name, no_wait, quiet)))
            for name in corpora or (DEFAULT_CORPUS,)
        }
        styles = Styles(patience=STYLE_SECONDS)
        for matcher in held.values():
            styles.open_behind(matcher.corpus)
        styles.wait()
        with bars("files", quiet) as progress:
            for done, (name, sha256, phrase) in enumerate(found):
                progress(done, len(found), "compared")
                payload = records.file_payload(phrase, session, name, sha256, bar_count(phrase))
                ledger.append("file", payload, utc=datetime.now(UTC))
                match = records.match_payload(phrase.id, session, _answer(held, phrase, styles))
                ledger.append("match", match, utc=datetime.now(UTC))
                filed.phrases.append(phrase.id)
    return filed


def _tunes(name: str, reply: Reply, filed: Filed) -> Iterator[tuple[str, str, Phrase]]:
    """The tunes of a file, each with its name; what could not be read is told in `filed`."""
    if reply.refused:
        filed.left_out.append((name, reply.refused))
    filed.left_out += [(name, fault) for fault in reply.faults]
    many = len(reply.tunes) > 1
    for tune in reply.tunes:
        called = f"{name} #{tune.number}" if many else name
        yield called, reply.sha256, phrase_from(tune)


def _answer(held: dict[str, Any], phrase: Phrase, styles: Styles) -> Answer:
    """What all corpora say, the one whose light is worst first."""
    begun = time.perf_counter()
    rows = [compared(name, one, phrase, styles, thorough=True) for name, one in held.items()]
    rows.sort(key=severity, reverse=True)
    return Answer(rows[0]["verdict"], rows, 1000 * (time.perf_counter() - begun))
