"""What a report is about: phrases of a scope, and the scope in words and commands."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime

from musai.errors import BadInput
from musai.report.assemble import About
from musai.report.dossier import Rerun
from musai.report.names import counted, listed
from musai.report.order import sort_key
from musai.service.history import History
from musai.service.rows import PhraseRow, Scope

KINDS = ("phrases", "session", "dates", "owner", "all")


def rows_of(scope: Scope, history: History) -> list[PhraseRow]:
    """The phrases of a scope.  Raises `BadInput` for one that is none, `NotFound`."""
    checked(scope)
    since, until = scope.since or None, scope.until or None
    if scope.kind == "phrases":
        return [history.row(phrase_id) for phrase_id in scope.values]
    if scope.kind == "session":
        return [
            row
            for name in scope.values
            for row in history.rows(session=name, since=since, until=until)
        ]
    return history.rows(since=since, until=until)


def checked(scope: Scope) -> None:
    """Raise `BadInput` where a scope lacks what its kind needs."""
    if scope.kind not in KINDS:
        raise BadInput(f"a report's scope is {scope.kind!r}; legal is {', '.join(KINDS)}")
    if scope.kind in ("phrases", "session", "owner") and not scope.values:
        raise BadInput(f"the scope {scope.kind!r} names nothing; it needs one value or more")
    if scope.kind == "dates" and not (scope.since or scope.until):
        raise BadInput("the scope 'dates' has neither since nor until; it needs one or both")


def about(
    scope: Scope,
    now: datetime,
    ledger: Mapping[str, str],
    rows: Sequence[PhraseRow],
    left_out: tuple[tuple[str, str], ...],
) -> About:
    """What stands on the first page: title, sentence, and the commands that do it again."""
    return About(
        title=title(scope, rows),
        about=f"Everything in the ledger of {in_words(scope)}.",
        made_at=now.isoformat(timespec="seconds"),
        owner=listed(scope.values) if scope.kind == "owner" else "",
        left_out=left_out,
        reruns=tuple(reruns(scope, rows)),
        ledger=ledger,
    )


def title(scope: Scope, rows: Sequence[PhraseRow]) -> str:
    """A name for the report."""
    days = _days(scope)
    if scope.kind == "owner":
        return f"What came near {listed(scope.values)}{f', {days}' if days else ''}"
    if scope.kind == "session":
        named = listed([name or "(no name)" for name in sorted(scope.values, key=sort_key)])
        return f"Session {named}{f', {days}' if days else ''}"
    if scope.kind == "phrases":
        return rows[0].name if len(rows) == 1 else counted(len(rows), "phrase")
    return f"All phrases{f', {days}' if days else ''}"


def in_words(scope: Scope) -> str:
    """The scope as part of a sentence."""
    days = _days(scope)
    when = f", {days}" if days else ""
    where = f", compared with {scope.corpus}" if scope.corpus else ""
    if scope.kind == "phrases":
        return counted(len(scope.values), "phrase") + where
    if scope.kind == "session":
        return f"the session{'s' * (len(scope.values) > 1)} {listed(scope.values)}{when}{where}"
    if scope.kind == "owner":
        return f"phrases that came near works of {listed(scope.values)}{when}{where}"
    return f"all sessions{when}{where}"


def _days(scope: Scope) -> str:
    if scope.since and scope.until:
        return f"{scope.since} to {scope.until}"
    return f"from {scope.since}" if scope.since else f"until {scope.until}" if scope.until else ""


def command(scope: Scope) -> str:
    """The command that makes this report again."""
    words = ["musai", "report"]
    options = {"session": "--session", "owner": "--owner"}
    if scope.kind == "phrases":
        words += [value[:12] for value in scope.values[:20]]
    for value in scope.values if scope.kind in options else ():
        words += [options[scope.kind], value]
    for name, value in (("--since", scope.since), ("--until", scope.until)):
        words += [name, value] if value else []
    words += ["--compared-with", scope.corpus] if scope.corpus else []
    words += ["--all"] if scope.kind == "all" and not (scope.since or scope.until) else []
    return shlex.join([*words, "--format", "pdf"])


def reruns(scope: Scope, rows: Sequence[PhraseRow]) -> list[Rerun]:
    """Commands that do it again, and what each shows."""
    found = [
        Rerun(command=command(scope), shows="this report again, from the same records"),
        Rerun(
            command="musai ledger verify",
            shows="that no record was changed, removed or put elsewhere since it was written",
        ),
    ]
    made = next((row for row in rows if row.replay_id), None)
    if made is not None and made.replay_id:
        found.append(
            Rerun(
                command=f"musai replay {made.replay_id[:12]}",
                shows=f"“{made.name}” made again note for note, or where it differs; so for each replay id below",
            )
        )
        found += _evidence(made, [row for row in rows if row.decision == "kept" and row.replay_id])
    file = next((row for row in rows if row.origin == "file"), None)
    if file is not None:
        found.append(
            Rerun(
                command=f"musai match {shlex.quote(file.name)}"
                + (f" --corpus {file.corpus}" if file.corpus else ""),
                shows="a file compared anew with the corpus as it is now; the same corpus id gives the same answer",
            )
        )
    found.append(
        Rerun(
            command=f"musai report {rows[0].phrase_id[:12]}" if rows else "musai report",
            shows="one phrase by itself with all works near it; so for each phrase id below",
        )
    )
    return found


def _evidence(made: PhraseRow, kept: Sequence[PhraseRow]) -> list[Rerun]:
    """The bundle that somebody else can verify: of a session's kept takes, else of one phrase."""
    sessions = {row.session for row in kept if row.session}
    if len(sessions) == 1:
        what, told = ["--session", *sessions], "each kept take of the session"
        made = kept[0]
    else:
        what, told = [made.phrase_id[:12]], f"“{made.name}”, or any other phrase made here,"
    return [
        Rerun(
            command=shlex.join(["musai", "evidence", "make", *what]),
            shows=f"signs how {told} was made: phrase, request, model and every choice, in a folder for whoever shall check it elsewhere",
        ),
        Rerun(
            command=f"musai evidence verify musai-evidence-{made.phrase_id[:8]}",
            shows="whether signature and chain hold and the same notes come again: EXACT, EQUIVALENT or DIVERGED",
        ),
    ]
