"""A time-stamp token dates a statement, and only the one that it was asked for."""

import shutil
import subprocess
from pathlib import Path

import pytest

from musai.errors import Altered, BadInput, MusaiError, NotFound
from musai.evidence import bundle as files
from musai.evidence import stamps
from tests.evidence.makers import Home

CONFIG = """\
[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
ess_cert_id_chain = no
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamper]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = dn
[dn]
"""

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


class Authority:
    """A time-stamp authority of the test's own, played by the openssl program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "c").write_text(CONFIG)
        (folder / "serial").write_text("01")
        new = "req -x509 -newkey rsa:2048 -nodes -days 30 -config c -sha256"
        self.run(f"{new} -subj /CN=Root -extensions authority -keyout root.key -out root.pem")
        ask = "req -newkey rsa:2048 -nodes -config c -subj /CN=Stamper -keyout t.key -out t.csr"
        self.run(ask)
        sign = "x509 -req -in t.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 -sha256"
        self.run(f"{sign} -extfile c -extensions stamper -out t.pem")

    def run(self, arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True
        )

    def token(self, data: bytes, certificate: bool = True) -> bytes:
        """The authority's answer for these bytes."""
        (self.folder / "data").write_bytes(data)
        wish = " -cert" if certificate else ""
        self.run(f"ts -query -sha256 -data data -out q.tsq{wish}")
        self.run("ts -reply -config c -queryfile q.tsq -signer t.pem -inkey t.key -out a.tsr")
        return (self.folder / "a.tsr").read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "tsa")


def test_a_token_is_attached_and_told_with_and_without_its_root(
    home: Home, tmp_path: Path, authority: Authority
) -> None:
    folder = home.evidence.make(home.play(), tmp_path / "e").folder
    token = authority.token((folder / files.ENVELOPE).read_bytes())
    told = home.evidence.stamp(folder, token)
    assert told.authority == "CN=Stamper"
    assert not told.trusted
    found = home.evidence.verify(folder)
    assert found.verdict == "EXACT"
    assert found.stamp == told
    roots = stamps.certificates(authority.folder / "root.pem")
    trusted = home.evidence.verify(folder, roots=roots).stamp
    assert trusted is not None
    assert trusted.trusted


def test_with_the_root_named_a_token_of_another_authority_is_not_attached(
    home: Home, tmp_path: Path, authority: Authority
) -> None:
    folder = home.evidence.make(home.play(), tmp_path / "e").folder
    forged = Authority(tmp_path / "forger").token((folder / files.ENVELOPE).read_bytes())
    roots = stamps.certificates(authority.folder / "root.pem")
    with pytest.raises(Altered, match="signature does not hold"):
        home.evidence.stamp(folder, forged, roots)
    assert not (folder / files.STAMP).exists()
    assert home.evidence.stamp(
        folder, authority.token((folder / files.ENVELOPE).read_bytes()), roots
    ).trusted


def test_a_token_of_other_bytes_is_not_attached(
    home: Home, tmp_path: Path, authority: Authority
) -> None:
    folder = home.evidence.make(home.play(), tmp_path / "e").folder
    with pytest.raises(Altered, match="of other bytes"):
        home.evidence.stamp(folder, authority.token(b"something else"))
    assert not (folder / files.STAMP).exists()
    with pytest.raises(BadInput, match="no answer of a time-stamp authority"):
        home.evidence.stamp(folder, b"something else")


def test_another_authority_s_root_does_not_vouch_for_it(
    tmp_path: Path, authority: Authority
) -> None:
    other = stamps.certificates(Authority(tmp_path / "other").folder / "root.pem")
    with pytest.raises(Altered, match="signature does not hold"):
        stamps.check(authority.token(b"data"), b"data", other)


def test_a_token_without_certificates_says_what_to_ask_for(authority: Authority) -> None:
    roots = stamps.certificates(authority.folder / "root.pem")
    with pytest.raises(BadInput, match="openssl ts -query -cert"):
        stamps.check(authority.token(b"data", certificate=False), b"data", roots)


def test_a_changed_token_is_found_or_says_the_same(authority: Authority) -> None:
    """A certificate carried along that nothing rests on may change; what is told may not."""
    token = authority.token(b"data")
    roots = stamps.certificates(authority.folder / "root.pem")
    told = stamps.check(token, b"data", roots)
    found = 0
    for place in range(0, len(token), 17):
        wrong = bytearray(token)
        wrong[place] ^= 1
        try:
            assert stamps.check(bytes(wrong), b"data", roots) == told
        except MusaiError:
            found += 1
    assert found > len(token) / 17 / 2


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        stamps.certificates(tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_bytes(b"no")
    with pytest.raises(BadInput, match="no PEM certificate"):
        stamps.certificates(tmp_path / "bad.pem")
