"""Evidence is signed, verified by doing it again, and tampering with any byte of it is found."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from musai.errors import Altered, BadInput, MusaiError, NotFound
from musai.evidence import bundle as files
from musai.evidence.keys import Keys
from musai.evidence.public import key_id
from musai.evidence.tagged import tag_of, tagged, untagged
from musai.music import Phrase
from musai.service.evidencing import Evidence
from musai.transformer import checkpoint
from tests.cli.conftest import write_model
from tests.evidence.makers import Home, seeds


@pytest.fixture
def folder(home: Home, tmp_path: Path) -> Path:
    """The evidence of one phrase."""
    made = home.evidence.make(home.play(), tmp_path / "evidence")
    assert made.folder.is_dir()
    return made.folder


def test_what_was_made_verifies_exactly(home: Home, folder: Path) -> None:
    found = home.evidence.verify(folder)
    assert found.verdict == "EXACT"
    assert found.signer == "this home"
    assert "whole chain is as written" in found.ledger
    assert found.missing == ()


def test_elsewhere_it_verifies_without_ledger_and_with_a_key_that_was_named(
    home: Home, folder: Path, tmp_path: Path
) -> None:
    elsewhere = Evidence(tmp_path / "other", None, lambda: home.now)
    found = elsewhere.verify(folder)
    assert (found.verdict, found.signer) == ("EXACT", "")
    assert found.ledger == "the ledger here does not hold these records"
    pem = next((home.folder / "keys" / "public").glob("*.pem"))
    assert elsewhere.verify(folder, key=str(pem)).signer == "the key named"
    assert elsewhere.verify(folder, key=pem.stem).signer == "the key named"
    stranger = key_id(Keys(tmp_path / "other").signing().public_key())
    with pytest.raises(Altered, match="signed by the key"):
        elsewhere.verify(folder, key=stranger)


def test_the_statement_is_an_in_toto_statement_in_a_dsse_envelope(folder: Path) -> None:
    envelope = json.loads((folder / files.ENVELOPE).read_bytes())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert set(envelope["signatures"][0]) == {"keyid", "sig"}
    import base64

    told = json.loads(base64.b64decode(envelope["payload"]))
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["subject"][0]["name"] == "phrase.mid"
    assert told["predicateType"] == "urn:musai:generation:v1"
    assert {"records", "model", "choices", "head"} <= told["predicate"].keys()


def test_a_signature_is_what_ed25519_over_dsse_s_encoding_says(folder: Path) -> None:
    import base64

    from musai.evidence.dsse import authenticated
    from musai.evidence.public import public_key

    envelope = json.loads((folder / files.ENVELOPE).read_bytes())
    body = base64.b64decode(envelope["payload"])
    said = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(body) + body
    assert authenticated("application/vnd.in-toto+json", body) == said
    public_key(folder / files.KEY).verify(base64.b64decode(envelope["signatures"][0]["sig"]), said)


def flips(size: int, dense: int) -> Iterator[int]:
    """Every byte of a small file; of a larger one the first, the last and an even sample."""
    step = max(1, size // dense)
    yield from sorted({*range(0, size, step), *range(min(32, size)), size - 1})


@pytest.mark.parametrize(
    "name", [files.ENVELOPE, files.KEY, files.PAYLOADS, files.MIDI, files.CHOICES]
)
def test_any_byte_changed_in_any_file_of_a_bundle_is_found(folder: Path, name: str) -> None:
    held = files.read(folder)
    files.checked(held)
    data = held[name]
    for place in flips(len(data), 700):
        for bit in (1, 32):
            wrong = bytearray(data)
            wrong[place] ^= bit
            with pytest.raises(Altered):
                files.checked({**held, name: bytes(wrong)})


@pytest.mark.parametrize(
    "name", [files.ENVELOPE, files.KEY, files.PAYLOADS, files.MIDI, files.CHOICES]
)
def test_a_file_cut_short_or_lengthened_is_found(folder: Path, name: str) -> None:
    held = files.read(folder)
    for wrong in (held[name][:-1], held[name] + b" ", held[name] + b"\n", b""):
        if name == files.PAYLOADS and not wrong:
            assert files.checked({**held, name: wrong}).request is None
            continue
        with pytest.raises(Altered):
            files.checked({**held, name: wrong})


@pytest.mark.parametrize("name", [checkpoint.WEIGHTS, checkpoint.RECIPE, checkpoint.SUMS])
def test_any_byte_changed_in_the_model_is_found(home: Home, folder: Path, name: str) -> None:
    path = home.model / name
    data = path.read_bytes()
    for place in flips(len(data), 12):
        wrong = bytearray(data)
        wrong[place] ^= 1
        path.write_bytes(bytes(wrong))
        fresh = Evidence(home.folder, home.ledger, lambda: home.now)
        with suppress(MusaiError):
            assert fresh.verify(folder).changed == (name,)
    path.write_bytes(data)
    assert home.evidence.verify(folder).verdict == "EXACT"


def test_another_model_s_phrase_is_refused_and_both_are_named(home: Home, folder: Path) -> None:
    other = write_model(home.folder / "models" / "other", "other", seed=2)
    with pytest.raises(BadInput, match=r"was made by the model .* here is 'other'"):
        home.evidence.verify(folder, model=str(other))
    with pytest.raises(BadInput, match="name that model with --model"):
        home.evidence.make(home.play(seeds(9)[8]), folder.with_name("x"), model=str(other))
    assert not folder.with_name("x").exists()


def test_a_ledger_that_was_changed_after_signing_is_found(home: Home, folder: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(home.ledger.path, isolation_level=None)
    connection.execute("UPDATE record SET utc = '2026-01-01T00:00:00.000000Z' WHERE seq = 2")
    connection.close()
    with pytest.raises(Altered, match="ledger record 2"):
        home.evidence.verify(folder)


@pytest.mark.parametrize("name", [files.PAYLOADS, files.MIDI])
def test_erased_payloads_leave_a_statement_that_holds_and_is_withdrawn(
    home: Home, folder: Path, name: str
) -> None:
    (folder / name).unlink()
    found = home.evidence.verify(folder)
    assert found.verdict == "WITHDRAWN"
    assert found.missing
    assert found.missing[0] in found.outcome.says
    # What remains is still checked.
    (folder / files.CHOICES).write_bytes(b"[]")
    with pytest.raises(Altered, match=files.CHOICES):
        home.evidence.verify(folder)


def test_erased_choices_do_not_stop_an_exact_replay(home: Home, folder: Path) -> None:
    (folder / files.CHOICES).unlink()
    assert home.evidence.verify(folder).verdict == "EXACT"


def test_a_model_that_went_with_a_takedown_is_withdrawn_and_one_merely_missing_is_named(
    home: Home, folder: Path
) -> None:
    model_id = home.player.model_id
    shutil.rmtree(home.model)
    fresh = Evidence(home.folder, home.ledger, lambda: home.now)
    with pytest.raises(NotFound, match="no model"):
        fresh.verify(folder)
    down = {"corpus": "c", "work_id": "9" * 64, "who": "w", "reason": "", "trained": [model_id]}
    home.ledger.append("takedown", down, utc=home.now)
    found = fresh.verify(folder)
    assert found.verdict == "WITHDRAWN"
    assert "trained on a work that was taken down" in found.outcome.says


def test_evidence_is_in_the_ledger_and_the_chain_holds(home: Home, folder: Path) -> None:
    record = home.ledger.last(1, kind="evidence")[0]
    assert record.payload is not None
    assert record.payload["envelope"].encode() == (folder / files.ENVELOPE).read_bytes()
    assert home.ledger.verify().ok


def test_nothing_is_written_over_and_nothing_half_written(home: Home, folder: Path) -> None:
    before = sorted(folder.parent.iterdir())
    count = len(home.ledger)
    with pytest.raises(BadInput, match="never written over"):
        home.evidence.make(home.play(), folder)
    assert sorted(folder.parent.iterdir()) == before
    assert len(home.ledger) == count + 2
    with pytest.raises(NotFound):
        home.evidence.make("0" * 64, folder.with_name("new"))
    assert not folder.with_name("new").exists()


def test_a_clock_that_went_backwards_is_named(home: Home, tmp_path: Path) -> None:
    phrase_id = home.play()
    home.now -= timedelta(hours=1)
    with pytest.raises(BadInput, match="the clock went backwards; set it right"):
        home.evidence.make(phrase_id, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    home.decide(phrase_id, "kept")
    home.now += timedelta(hours=2)
    with pytest.raises(BadInput, match=r"ledger record 3 says .* the clock went backwards"):
        home.evidence.make(phrase_id, tmp_path / "new")


def test_a_session_gives_its_kept_takes_and_says_where_it_has_none(home: Home) -> None:
    first, second, third = (home.play(request) for request in seeds(3))
    with pytest.raises(BadInput, match="has no kept take"):
        home.evidence.kept("s")
    with pytest.raises(NotFound, match="no session 'x'; it has s"):
        home.evidence.kept("x")
    for phrase_id, decision in ((first, "kept"), (second, "discarded"), (third, "kept")):
        home.decide(phrase_id, decision)
    home.decide(third, "discarded")
    assert home.evidence.kept("s") == [first]


def test_a_tagged_midi_file_names_its_statement_and_holds_the_same_phrase(
    home: Home, tmp_path: Path
) -> None:
    made = home.evidence.make(home.play(), tmp_path / "e", tag=tmp_path / "t.mid")
    data = (tmp_path / "t.mid").read_bytes()
    assert tag_of(data) == made.digest
    assert Phrase.from_midi(data).id == made.phrase_id
    assert untagged(data) == (made.folder / files.MIDI).read_bytes()
    assert tagged(data, made.digest) == data
    assert home.evidence.verify(made.folder, midi=data).verdict == "EXACT"
    assert home.evidence.verify(made.folder, midi=untagged(data)).verdict == "EXACT"
    with pytest.raises(Altered, match="names the statement"):
        home.evidence.verify(made.folder, midi=tagged(data, "0" * 64))
    moved = bytearray(data)
    moved[-8] ^= 1
    with pytest.raises(MusaiError):
        home.evidence.verify(made.folder, midi=bytes(moved))
