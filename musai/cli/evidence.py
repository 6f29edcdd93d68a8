"""`musai evidence`: sign what was made and how; verify such a statement by doing it again."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musai import folders
from musai.cli.common import counted, json_option, model_option, say_json
from musai.errors import BadInput, MusaiError, NotFound
from musai.ledger import Ledger

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from musai.service.evidencing import Evidence, Verified


authority_option = click.option(
    "--authority",
    type=click.Path(path_type=Path),
    metavar="CERT.pem",
    help="Root certificates of the time-stamp authority.",
)


@click.group()
def evidence() -> None:
    """Signed statements of what was made and how: make, verify, stamp, keys."""


@evidence.command("make", short_help="Sign how a phrase was made, into a folder.")
@click.argument("phrases", metavar="[PHRASE]...", nargs=-1)
@click.option("--session", metavar="NAME", help="Every kept take of this session instead.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make.")
@click.option(
    "--tag",
    type=click.Path(path_type=Path),
    metavar="FILE.mid",
    help="Also write the phrase as a MIDI file that names its statement.",
)
@model_option
@json_option
def make(
    phrases: tuple[str, ...],
    session: str | None,
    out: Path | None,
    tag: Path | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Play PHRASE again, and if it comes out the same, sign what it was made of.

    The folder holds the signed statement, the phrase, what was asked, and every choice of the
    model: enough for somebody with the same model to verify it, note for note.
    """
    if bool(phrases) == (session is not None):
        raise BadInput("name phrases, or a session with --session; legal is one of the two")
    with _opened() as held:
        wanted = list(phrases) if session is None else held.kept(session)
        if len(wanted) > 1 and (out is not None or tag is not None):
            raise BadInput(f"--out and --tag are for one phrase; named are {len(wanted)}")
        rows = []
        for phrase_id in wanted:
            folder = out or Path(f"musai-evidence-{phrase_id[:8]}")
            made = held.make(phrase_id, folder, model=model, tag=tag)
            rows.append(made)
            if not as_json:
                click.echo(
                    f"{made.folder}: {counted(made.choices, 'choice')} of phrase "
                    f"{made.phrase_id[:8]}, signed with the key {made.key_id[:16]}"
                )
    if as_json:
        say_json(
            [
                {
                    "folder": str(made.folder),
                    "phrase_id": made.phrase_id,
                    "replay_id": made.replay_id,
                    "statement_sha256": made.digest,
                    "key_id": made.key_id,
                    "choices": made.choices,
                    "record": made.seq,
                }
                for made in rows
            ]
        )


@evidence.command("verify", short_help="Check a statement and make its phrase again.")
@click.argument(
    "folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--key", metavar="KEY", help="Whose it must be: a key's id or PEM file.")
@click.option("--midi", type=click.Path(path_type=Path), help="Is this MIDI file that phrase?")
@authority_option
@model_option
@json_option
def verify(
    folders: tuple[Path, ...],
    key: str | None,
    midi: Path | None,
    authority: Path | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Hold FOLDER against its signature and its chain of hashes, then play its phrase again.

    EXACT: the same phrase, hash for hash. EQUIVALENT: other arithmetic, and every recorded choice
    is what that may draw. WITHDRAWN: something it needs was taken down or erased; the rest holds.
    DIVERGED: anything else, with the first choice that differs. Exit code 0 for the first two, 3
    for WITHDRAWN, 1 for DIVERGED and for what was tampered with.
    """
    roots = _roots(authority)
    data = None if midi is None else _bytes(midi)
    worst = 0
    rows = []
    with _opened(needed=False) as held:
        for folder in folders:
            found = held.verify(folder, model=model, key=key, roots=roots, midi=data)
            worst = max(worst, _CODES[found.verdict], key=(0, 3, 1).index)
            rows.append((folder, found))
            if not as_json:
                click.echo("\n".join(_told(folder, found)))
    if as_json:
        say_json([_plain(folder, found) for folder, found in rows])
    if worst:
        raise click.exceptions.Exit(worst)


_CODES = {
    "EXACT": 0,
    "EQUIVALENT": 0,
    "WITHDRAWN": NotFound.exit_code,
    "DIVERGED": MusaiError.exit_code,
}


@evidence.command("stamp", short_help="Attach a time-stamp token (RFC 3161).")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("token", metavar="TOKEN.tsr", type=click.Path(path_type=Path))
@authority_option
@json_option
def stamp(folder: Path, token: Path, authority: Path | None, as_json: bool) -> None:
    """Attach an authority's answer to the hash of FOLDER/statement.json.

    openssl ts -query -sha256 -cert -data FOLDER/statement.json -out ask.tsq makes the question;
    musai itself asks nobody. With --authority the token's signature is checked first, up to that root;
    without, that it is of this statement, which is all that can be checked.
    """
    data, roots = _bytes(token), _roots(authority)
    with _opened(needed=False) as held:
        told = held.stamp(folder, data, roots)
    if as_json:
        say_json({"folder": str(folder), **asdict(told)})
        return
    trust = "" if told.trusted else "; its signature was not checked (--authority)"
    who = told.authority or "an unnamed authority"
    click.echo(f"{folder}: stamped {told.utc} by {who}{trust}")


@evidence.command("keys", short_help="The keys that sign here; --rotate makes a new one.")
@click.option("--rotate", is_flag=True, help="Make a new key; the old one vouches for it.")
@json_option
def keys(rotate: bool, as_json: bool) -> None:
    """The public keys of this home, the one in use first; old ones stay, to verify by."""
    with _opened(needed=False) as held:
        if rotate:
            held.rotate()
        held.keys.signing()
        rows = held.keys.known()
        place = held.keys.folder
    if as_json:
        say_json([{"key_id": row.id, "signs": row.signs} for row in rows])
        return
    for row in rows:
        click.echo(f"{row.id}  {'signs' if row.signs else 'signed before'}")
    click.echo(f"public keys to hand out: {place / 'public'}")


class _opened:
    """The evidence of the home folder, its ledger closed at the end."""

    def __init__(self, needed: bool = True) -> None:
        self._needed = needed
        self._ledger: Ledger | None = None

    def __enter__(self) -> "Evidence":
        from musai.service.evidencing import Evidence

        home = folders.home()
        path = folders.ledger_file(home)
        if path.exists():
            self._ledger = Ledger.open(path)
        elif self._needed:
            raise NotFound("nothing has been recorded here yet: musai generate, or musai serve")
        return Evidence(home, self._ledger, lambda: datetime.now(UTC))

    def __exit__(self, *_: object) -> None:
        if self._ledger is not None:
            self._ledger.close()


def _roots(authority: Path | None) -> "list[Certificate]":
    from musai.evidence.stamps import certificates

    return [] if authority is None else certificates(authority)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from None


def _told(folder: Path, found: "Verified") -> list[str]:
    predicate = found.bundle.signed.predicate
    who = {
        "": "that nobody vouched for here: compare its id with what its owner told you (--key)",
        "this home": "of this home",
    }.get(found.signer, f"as it must: {found.signer}")
    lines = [
        f"{folder}: {found.verdict}: {found.outcome.says}",
        f"  signed with the key {found.bundle.signed.key_id[:16]}, {who}",
        f"  model {predicate['model']['name']} ({predicate['model']['id'][:12]}); {found.ledger}",
    ]
    if found.changed:
        lines.append(f"  of the model, not as it was signed: {', '.join(found.changed)}")
    if found.stamp is None:
        lines.append(f"  it says it was signed {predicate['utc']}; no time-stamp token shows that")
    else:
        trust = "" if found.stamp.trusted else "; its signature was not checked (--authority)"
        lines.append(f"  stamped {found.stamp.utc} by {found.stamp.authority}{trust}")
    return lines


def _plain(folder: Path, found: "Verified") -> dict[str, Any]:
    predicate = found.bundle.signed.predicate
    stamped = found.stamp
    return {
        "folder": str(folder),
        **found.outcome.plain(),
        "phrase_id": predicate["phrase_id"],
        "replay_id": predicate["replay_id"],
        "model": {name: predicate["model"][name] for name in ("name", "id")},
        "key_id": found.bundle.signed.key_id,
        "signer": found.signer,
        "ledger": found.ledger,
        "missing": list(found.missing),
        "model_files_changed": list(found.changed),
        "statement_sha256": found.bundle.digest,
        "signed_utc": predicate["utc"],
        "stamp": None if stamped is None else asdict(stamped),
    }


COMMANDS: tuple[click.Command, ...] = (evidence,)
