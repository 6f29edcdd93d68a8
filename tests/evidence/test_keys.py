"""Keys are made on first use, kept from others, and vouch for those that follow them."""

import os
from pathlib import Path

import pytest

from musai.errors import Altered, BadInput, NotFound
from musai.evidence.keys import Keys
from musai.evidence.public import key_id
from tests.evidence.makers import NOON, Home

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no file modes")


def test_a_key_is_made_on_first_use_and_is_the_same_afterwards(tmp_path: Path) -> None:
    first = Keys(tmp_path).signing()
    assert key_id(Keys(tmp_path).signing().public_key()) == key_id(first.public_key())
    assert [(row.id, row.signs) for row in Keys(tmp_path).known()] == [
        (key_id(first.public_key()), True)
    ]


@posix
def test_nobody_else_may_read_the_private_key(tmp_path: Path) -> None:
    Keys(tmp_path).signing()
    path = tmp_path / "keys" / "signing.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(BadInput, match="file mode 644; legal is 600"):
        Keys(tmp_path).signing()


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    Keys(tmp_path).signing()
    path = tmp_path / "keys" / "signing.pem"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(Altered, match=r"signing\.pem holds no private key"):
        Keys(tmp_path).signing()


def test_rotation_keeps_the_old_public_key_and_destroys_the_private_one(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.signing()
    before = (tmp_path / "keys" / "signing.pem").read_bytes()
    was, now = keys.rotate(NOON)
    assert {row.id: row.signs for row in keys.known()} == {now: True, was: False}
    held = [p.read_bytes() for p in (tmp_path / "keys").rglob("*") if p.is_file()]
    assert before not in held
    assert keys.successors(was) == [was, now]
    third = keys.rotate(NOON)[1]
    assert keys.successors(was) == [was, now, third]


def test_evidence_signed_before_a_rotation_still_verifies_and_so_does_what_follows(
    home: Home, tmp_path: Path
) -> None:
    phrase_id = home.play()
    first = home.evidence.make(phrase_id, tmp_path / "first")
    was, now = home.evidence.rotate()
    assert home.ledger.last(1, kind="key")[0].payload == {"key_id": now, "follows": was}
    second = home.evidence.make(phrase_id, tmp_path / "second")
    assert (first.key_id, second.key_id) == (was, now)
    for made in (first, second):
        assert home.evidence.verify(made.folder, key=was).verdict == "EXACT"
    with pytest.raises(Altered, match="signed by the key"):
        home.evidence.verify(first.folder, key=now)


def test_a_word_of_rotation_that_was_altered_is_found(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.signing()
    was, _ = keys.rotate(NOON)
    path = tmp_path / "keys" / "rotations" / f"{was}.json"
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), 7):
        data[place] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(Altered):
            keys.successors(was)
        data[place] ^= 1


def test_a_key_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    whole = key_id(keys.signing().public_key())
    assert key_id(keys.find(whole[:8])) == whole
    with pytest.raises(BadInput, match="at least 8"):
        keys.find(whole[:7])
    with pytest.raises(NotFound):
        keys.find("z" * 8)
