"""Evidence of phrases in the ledger: signed statements made, and verified by doing it again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

import musai
from musai.corpus import Corpus
from musai.errors import Altered, BadInput, MusaiError, NotFound
from musai.evidence import bundle as files
from musai.evidence import dsse, stamps
from musai.evidence.bundle import Bundle
from musai.evidence.canonical import sha256
from musai.evidence.difference import notewise
from musai.evidence.keys import Keys
from musai.evidence.public import key_id, public_bytes, read_public
from musai.evidence.replay import TAU, Outcome, Verdict, played, replay
from musai.evidence.stamps import Stamp
from musai.evidence.tagged import tagged
from musai.evidence.trace import Recorder
from musai.files import write_whole
from musai.ledger import Ledger, Payload, Record, verify_file
from musai.match.printed import MODEL
from musai.service import records
from musai.service.playing import made_with
from musai.service.printed import guards
from musai.service.replays import Recorded
from musai.transformer import Player, Request, checkpoint
from musai.transformer.guarding import GuardLike

PATIENCE = timedelta(minutes=1)
"""By how much two clocks' times may run against the ledger's order before that is an error."""

OWN_KEY = (
    "A key of one's own shows that nothing was changed since it signed, not when that was: "
    "a time-stamp token (RFC 3161) adds an outsider's date."
)


@dataclass(frozen=True, slots=True)
class Made:
    """Evidence that was written: where, of what, by which key, and how the replay came out."""

    folder: Path
    phrase_id: str
    replay_id: str
    digest: str
    key_id: str
    choices: int
    seq: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle came to.

    `signer`: "this home", "the key named", or "" for a key that nobody vouched for; `ledger`:
    what the ledger here says of the records; `missing`: what was erased; `changed`: files of the
    model that are not those that were signed, though its weights are.
    """

    bundle: Bundle
    outcome: Outcome
    signer: str
    ledger: str
    stamp: Stamp | None
    missing: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """EXACT, EQUIVALENT, DIVERGED or WITHDRAWN."""
        return self.outcome.verdict


@dataclass(frozen=True, slots=True)
class _Asked:
    """A phrase of the ledger with the records that it was asked and made by."""

    request: Request
    known: Recorded
    session: str
    asked: Record
    made: Record


class Evidence:
    """Makes and verifies evidence in one home; `ledger` is None where none was ever written."""

    def __init__(self, home: Path, ledger: Ledger | None, clock: Callable[[], datetime]) -> None:
        self.keys = Keys(home)
        self._ledger = ledger
        self._clock = clock
        self._players: dict[str, Player] = {}
        self._guards = guards()

    def kept(self, session: str) -> list[str]:
        """Ids of the takes of a session that were kept.  Raises `BadInput` where there are none."""
        last: dict[str, str] = {}
        for record in self._here().find("session", session, "decision"):
            if record.payload is not None:
                last[record.payload["phrase_id"]] = record.payload["decision"]
        found = [phrase_id for phrase_id, decision in last.items() if decision == "kept"]
        if not found:
            known = self._here().sessions()
            if session not in known:
                raise NotFound(f"the ledger has no session {session!r}; it has {', '.join(known)}")
            raise BadInput(
                f"session {session!r} has no kept take; keep one (in the page, or /musai/keep over "
                "OSC), or name a phrase"
            )
        return found

    def make(
        self, phrase_id: str, folder: Path, *, model: str | None = None, tag: Path | None = None
    ) -> Made:
        """Play a phrase again, and sign what it was made of; into a new folder, or nothing at all.

        Raises `NotFound` for what is not there or was erased, `Altered` where the phrase does not
        come out again or the model is another, `BadInput` for a folder that is there, or a clock
        that went backwards.
        """
        files.free(folder)
        what = self._gathered(phrase_id)
        now = self._clock()
        head = self._check_clock(what.asked, what.made, now)
        player = self._player(model or what.known.model)
        _same_model(player, what.known.model, what.known.model_id)
        recorder = self._played(player, what)
        choices = files.choices_bytes(recorder.choices)
        counted = {"count": len(recorder.choices), "open": recorder.open, "sha256": sha256(choices)}
        rows = self._here().rows(what.asked.seq, what.made.seq)
        own = {what.asked.seq, what.made.seq}
        about = _model_files(model or what.known.model)
        predicate = {
            "utc": now.isoformat(),
            "musai": musai.__version__,
            "phrase_id": what.known.phrase.id,
            "replay_id": what.known.replay_id,
            "model": {"name": player.name, "id": player.model_id, "files": about},
            "guard": what.known.guard,
            "records": [files.link_of(row, row[0] in own) for row in rows],
            "head": {"seq": head.seq, "hash": head.hash},
            "choices": counted,
            "tau": TAU,
            "made_with": made_with(),
            "says": OWN_KEY,
            **_terms(what.asked.payload or {}),
        }
        midi = bytes.fromhex((what.made.payload or {})["midi"])
        key = self.keys.signing()
        told = dsse.statement(files.GENERATION, {files.MIDI: sha256(midi)}, predicate)
        content = {
            files.ENVELOPE: dsse.sealed(told, key),
            files.KEY: public_bytes(key.public_key()),
            files.PAYLOADS: b"".join(files.payload_line(row) for row in rows if row[0] in own),
            files.MIDI: midi,
            files.CHOICES: choices,
        }
        files.checked(content)
        files.write(folder, content)
        if tag is not None:
            write_whole(tag, tagged(midi, sha256(content[files.ENVELOPE])))
        return self._recorded(what, folder, content, len(recorder.choices), now)

    def _gathered(self, phrase_id: str) -> _Asked:
        """The records of a phrase that was made here.  Raises `NotFound`."""
        ledger = self._here()
        replay_id = records.replay_id_of(records.phrase_record(ledger, phrase_id))
        request, known, session = records.recorded(ledger, replay_id)
        asked = ledger.find("replay_id", known.replay_id, "request")[-1]
        made = ledger.find("replay_id", known.replay_id, "phrase")[0]
        if asked.seq > made.seq:  # asked again since: the request of that phrase is the one before
            asked = ledger.find("replay_id", known.replay_id, "request")[0]
        return _Asked(request, known, session, asked, made)

    def _played(self, player: Player, what: _Asked) -> Recorder:
        """The choices of the phrase.  Raises `Altered` where it does not come out again."""
        guard = self._guard(what.request, what.known.guard)
        made, recorder = played(player, what.request, guard)
        if made.id != what.known.phrase.id:
            raise Altered(
                f"the phrase {what.known.phrase.id[:8]} does not come out again here, so there is "
                f"nothing to sign: it {notewise(what.known.phrase, made)}"
            )
        return recorder

    def _recorded(
        self, what: _Asked, folder: Path, content: Mapping[str, bytes], choices: int, now: datetime
    ) -> Made:
        """Tell the ledger what was signed."""
        envelope, signer = content[files.ENVELOPE], key_id(read_public(content[files.KEY], "key"))
        payload = {
            "phrase_id": what.known.phrase.id,
            "replay_id": what.known.replay_id,
            "session": what.session,
            "envelope": envelope.decode(),
            "key_id": signer,
        }
        entry = self._here().append("evidence", payload, utc=now)
        phrase_id, replay_id = what.known.phrase.id, what.known.replay_id
        return Made(folder, phrase_id, replay_id, sha256(envelope), signer, choices, entry.seq)

    def rotate(self) -> tuple[str, str]:
        """Make a new key and record that; the ids of the old and of the new one."""
        now = self._clock()
        was, is_now = self.keys.rotate(now)
        if self._ledger is not None:
            self._ledger.append("key", {"key_id": is_now, "follows": was}, utc=now)
        return was, is_now

    def stamp(self, folder: Path, token: bytes, roots: Sequence[x509.Certificate] = ()) -> Stamp:
        """Attach a time-stamp token to a bundle, its signature checked where `roots` are named.

        Raises `Altered`, `BadInput`, and attaches nothing.
        """
        held = files.read(folder)
        files.checked(held)
        told = stamps.check(token, held[files.ENVELOPE], roots)
        write_whole(folder / files.STAMP, token)
        return told

    def verify(
        self,
        folder: Path,
        *,
        model: str | None = None,
        key: str | None = None,
        roots: Sequence[x509.Certificate] = (),
        midi: bytes | None = None,
    ) -> Verified:
        """Hold a bundle against its signature, its chain and the ledger here, then play it again.

        Raises `Altered` naming what was tampered with, `NotFound` for a model that is not here,
        `BadInput` for one that is another.
        """
        held = files.read(folder)
        bundle = files.checked(held)
        signer = self._signer(bundle, key)
        stamp = None if bundle.stamp is None else stamps.check(bundle.stamp, bundle.envelope, roots)
        if midi is not None:
            files.check_midi(midi, bundle)
        said = self._ledger_says(bundle)
        gone = self._erased(bundle)
        outcome = (
            Outcome("WITHDRAWN", f"the payloads of {gone} were erased here; the rest holds")
            if gone
            else self._replayed(bundle, model)
        )
        changed: tuple[str, ...] = ()
        if outcome.verdict != "WITHDRAWN":
            told = bundle.signed.predicate["model"]
            here = _model_files(model or told["name"])
            names = sorted({*here, *told["files"]})
            changed = tuple(n for n in names if here.get(n) != told["files"].get(n))
        return Verified(bundle, outcome, signer, said, stamp, bundle.missing, changed)

    def _replayed(self, bundle: Bundle, model: str | None) -> Outcome:
        told = bundle.signed.predicate["model"]
        if bundle.request is None or bundle.phrase is None:
            return Outcome("WITHDRAWN", f"{', '.join(bundle.missing)} erased; the rest holds")
        try:
            player = self._player(model or told["name"])
        except NotFound:
            if self._withdrawn_model(told["id"]):
                return Outcome(
                    "WITHDRAWN",
                    f"the model {told['name']} ({told['id'][:12]}) was trained on a work that was "
                    "taken down, and is no longer here; the rest holds",
                )
            raise
        _same_model(player, told["name"], told["id"])
        try:
            guard = self._guard(bundle.request, bundle.signed.predicate["guard"])
        except _Gone as gone:
            return Outcome("WITHDRAWN", f"{gone}; the rest holds")
        return replay(player, bundle.request, bundle.phrase, bundle.choices, guard)

    def _here(self) -> Ledger:
        if self._ledger is None:
            raise NotFound("nothing has been recorded here yet: musai generate, or musai serve")
        return self._ledger

    def _player(self, model: str) -> Player:
        if model not in self._players:
            self._players[model] = Player.open(model)
        return self._players[model]

    def _guard(self, request: Request, told: Mapping[str, Any] | None) -> GuardLike | None:
        """The guard that a phrase was made under.  Raises `Altered` where it is another now."""
        if request.guard is None or told is None:
            return None
        names = [row["name"] for row in told["corpora"]]
        guard = self._guards(request.guard, names)
        if guard.id == told["id"]:
            return guard
        known = {row["name"]: row["id"] for row in told["corpora"]}
        for row in guard.describe()["corpora"]:
            if row["name"].startswith(MODEL):
                continue
            down = Corpus.open(row["name"]).takedowns
            if known.get(row["name"]) != row["id"] and down:
                raise _Gone(
                    f"the guard held against corpus {row['name']}, from which "
                    f"{down[-1].title or down[-1].id[:12]} was taken down"
                )
        raise Altered("the guard that this phrase was made under is another now: a corpus changed")

    def _check_clock(self, asked: Record, made: Record, now: datetime) -> Record:
        """The ledger's last record.  Raises `BadInput` where times run against the order."""
        head = self._here().last(1)[0]
        for earlier, later in ((asked, made), (asked, head), (made, head)):
            if datetime.fromisoformat(later.utc) < datetime.fromisoformat(earlier.utc) - PATIENCE:
                raise BadInput(
                    f"ledger record {later.seq} says {later.utc}, the earlier record "
                    f"{earlier.seq} says {earlier.utc}: the clock went backwards, and no statement "
                    "can say when this was made"
                )
        if now < datetime.fromisoformat(head.utc) - PATIENCE:
            raise BadInput(
                f"the clock says {now.isoformat()}, the ledger's last record says {head.utc}: the "
                "clock went backwards; set it right and do this again"
            )
        return head

    def _signer(self, bundle: Bundle, wanted: str | None) -> str:
        found = bundle.signed.key_id
        if wanted is not None:
            path = Path(wanted)
            if path.is_file():
                named = key_id(read_public(path.read_bytes(), wanted))
            elif len(wanted) == 64:
                named = wanted
            else:
                named = key_id(self.keys.find(wanted))
            if found not in self.keys.successors(named):
                raise Altered(f"signed by the key {found[:16]}; named was {named[:16]}")
            return "the key named"
        return "this home" if found in {row.id for row in self.keys.known()} else ""

    def _ledger_says(self, bundle: Bundle) -> str:
        """Hold the statement's links against the ledger here.  Raises `Altered`."""
        links = bundle.signed.predicate["records"]
        if self._ledger is None or not links or len(self._ledger) < links[-1]["seq"]:
            return "the ledger here does not hold these records"
        if self._ledger.record(links[0]["seq"]).hash != links[0]["hash"]:
            return "the ledger here is another one"
        for row in self._ledger.rows(links[0]["seq"], links[-1]["seq"]):
            link = next(one for one in links if one["seq"] == row[0])
            if row[5].hex() != link["hash"]:
                raise Altered(f"ledger record {row[0]} here is not the one that was signed")
        verify_file(self._ledger.path).check()
        return "the ledger here holds these records, and its whole chain is as written"

    def _erased(self, bundle: Bundle) -> str:
        """ "ledger records 3 and 5": those of the bundle's own that were erased from this ledger."""
        links = [one for one in bundle.signed.predicate["records"] if one["own"]]
        if self._ledger is None or not links or len(self._ledger) < links[-1]["seq"]:
            return ""
        held = {row[0]: row for row in self._ledger.rows(links[0]["seq"], links[-1]["seq"])}
        same = [held[one["seq"]] for one in links if held[one["seq"]][5].hex() == one["hash"]]
        gone = [str(row[0]) for row in same if row[7] is None]
        return f"ledger records {' and '.join(gone)}" if gone else ""

    def _withdrawn_model(self, model_id: str) -> bool:
        if self._ledger is None:
            return False
        downs = self._ledger.last(10_000, kind="takedown")
        return any(model_id in (one.payload or {}).get("trained", ()) for one in downs)


class _Gone(MusaiError):
    """What a replay needs was taken down."""


def _same_model(player: Player, name: str, model_id: str) -> None:
    if player.model_id != model_id:
        raise BadInput(
            f"the phrase was made by the model {name!r} ({model_id[:12]}); here is "
            f"{player.name!r} ({player.model_id[:12]}): name that model with --model"
        )


def _model_files(model: str) -> dict[str, str]:
    """SHA-256 of a model's files, the list of them too.  Raises `Altered`."""
    folder = checkpoint.folder_of(model)
    sums = checkpoint.check_sums(folder)
    return {**sums, checkpoint.SUMS: sha256((folder / checkpoint.SUMS).read_bytes())}


def _terms(payload: Payload) -> dict[str, Any]:
    """The conditions under which the model's music may be used, as the request recorded them."""
    return {"terms": payload["terms"]} if "terms" in payload else {}
