"""Manifests: rows read, rows refused, files that are none."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.corpus import Creator, Holder
from musai.corpus.manifest import read_manifest, safe_path
from musai.errors import BadManifest


def manifest(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_a_row_with_its_makers_owners_and_licence_is_read(tmp_path: Path) -> None:
    text = (
        "path,title,collection,composer,composer_born,composer_died,composer_wikidata,holders,"
        "licence,attribution,source,source_path,iswc,notes\n"
        'a/b.mid,"Song, One",Songs,Ann Other,1851,1934,Q1,A Press=6000;The Estate=4000,'
        "CC-BY-4.0,Ann Other,Somewhere at 1a2b,x/y.mxl,T-1,99\n"
    )
    (row,), refused = read_manifest(manifest(tmp_path, "\ufeff" + text))
    assert refused == []
    assert (row.path, row.title, row.collection) == ("a/b.mid", "Song, One", "Songs")
    assert row.creators == (Creator("Ann Other", born=1851, died=1934, wikidata="Q1"),)
    assert row.holders == (Holder("A Press", 6000), Holder("The Estate", 4000))
    assert row.source == "Somewhere at 1a2b x/y.mxl"
    assert row.terms().train.attribution == "Ann Other"
    quote = "licence: CC-BY-4.0; attribution: Ann Other"
    assert row.evidence[0].quote == quote
    assert row.evidence[0].sha256 == hashlib.sha256(quote.encode()).hexdigest()


def test_terms_in_columns_go_before_the_licence(tmp_path: Path) -> None:
    text = (
        "path,licence,train,train_share,train_territory,train_until,commercial\n"
        "a.mid,CC0-1.0,conditional,250,DE FR,2030-01-01,denied\n"
    )
    (row,), _ = read_manifest(manifest(tmp_path, text))
    terms = row.terms()
    assert terms.influence.status == "allowed"
    assert terms.commercial.status == "denied"
    assert terms.train.conditions == (
        "2.5% of revenue to the owner",
        "only in DE, FR",
        "until 2030-01-01",
    )


def test_json_lines_say_the_same_in_objects(tmp_path: Path) -> None:
    record = {
        "path": "a.mid",
        "creators": [{"name": "Ann", "role": "lyricist", "born": 1900}, "Bo"],
        "holders": [{"name": "A Press", "share": 2500, "ipi": "7"}],
        "terms": {"train": {"status": "conditional", "attribution": "Ann"}, "match": "denied"},
    }
    lines = f"{json.dumps(record)}\n\n[1]\nnot json\n"
    (row,), refused = read_manifest(manifest(tmp_path, lines, "m.jsonl"))
    assert row.creators == (Creator("Ann", "lyricist", 1900), Creator("Bo"))
    assert row.holders == (Holder("A Press", 2500, "7"),)
    assert (row.terms().match.status, row.terms().train.status) == ("denied", "conditional")
    assert [what for what, _ in refused] == ["m.jsonl line 3", "m.jsonl line 4"]


@pytest.mark.parametrize(
    "path",
    [
        "../a.mid",
        "a/../../b.mid",
        "/etc/a.mid",
        "C:\\a.mid",
        "\\\\host\\a.mid",
        "..\\a.mid",
        "a\0.mid",
        "",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(BadManifest):
        safe_path(path)


def test_rows_at_fault_are_refused_and_the_others_read(tmp_path: Path) -> None:
    text = (
        "path,licence,holders,composer,composer_born,sha256,train\n"
        "good.mid,CC0-1.0,,,,,\n"
        "../up.mid,CC0-1.0,,,,,\n"
        "year.mid,,,Ann,long ago,,\n"
        "hash.mid,,,,,1234,\n"
        "share.mid,,A=6000;B=6000,,,,\n"
        "term.mid,,,,,,perhaps\n"
        "expr.mid,CC0-1.0 OR,,,,,\n"
        "short.mid,CC0-1.0\n"
        ",CC0-1.0,,,,,\n"
    )
    rows, refused = read_manifest(manifest(tmp_path, text))
    assert [row.path for row in rows] == ["good.mid"]
    assert dict(refused) == {
        "../up.mid": "path is '../up.mid'; legal is a path inside the manifest's folder",
        "year.mid": "composer_born is 'long ago'; legal is a year",
        "hash.mid": "sha256 is '1234'; legal is 64 hexadecimal digits",
        "share.mid": "shares sum to 12000; legal is up to 10000",
        "term.mid": "a term's status is 'perhaps'; legal is allowed, denied, unclear, conditional",
        "expr.mid": "licence is 'CC0-1.0 OR'; legal is an SPDX expression",
        "manifest.csv line 9": "the row does not have 7 cells",
        "manifest.csv line 10": "the row names no path",
    }


def test_evidence_in_a_file_is_quoted_and_hashed(tmp_path: Path) -> None:
    (tmp_path / "LICENCE.txt").write_bytes(b"You may  do\nanything.")
    text = "path,evidence_file\na.mid,LICENCE.txt\nb.mid,../secret\nc.mid,none.txt\n"
    (row,), refused = read_manifest(manifest(tmp_path, text))
    assert row.evidence[0].file == "LICENCE.txt"
    assert row.evidence[0].quote == "You may do anything."
    assert row.evidence[0].sha256 == hashlib.sha256(b"You may  do\nanything.").hexdigest()
    assert [what for what, _ in refused] == ["b.mid", "c.mid"]


def test_a_link_out_of_the_folder_is_no_evidence(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    rows, refused = read_manifest(manifest(inside, "path,evidence_file\na.mid,link.txt\n"))
    assert (rows, len(refused)) == ([], 1)


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("title\nx\n", "manifest.csv", "one called path"),
        ("", "manifest.csv", "one called path"),
        ("path,path\na,b\n", "manifest.csv", "two columns"),
        ('path\n"a\n', "manifest.csv", "line"),
        ("path\n", "manifest.xls", "is no manifest"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(
    tmp_path: Path, text: str, name: str, says: str
) -> None:
    with pytest.raises(BadManifest, match=says):
        read_manifest(manifest(tmp_path, text, name))


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"path\n\xff.mid\n")
    with pytest.raises(BadManifest, match="not UTF-8: byte 5"):
        read_manifest(tmp_path / "manifest.csv")


GOOD = b'path,title,holders,train\na.mid,"One, Two",A=5000,allowed\nb/c.mid,Three,,denied\n'


@given(st.integers(0, len(GOOD)), st.binary(max_size=8), st.integers(0, 10))
def test_a_damaged_manifest_gives_safe_rows_or_a_named_fault(
    tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes, drop: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "manifest.csv"
    path.write_bytes(GOOD[:at] + put + GOOD[at + drop :])
    try:
        rows, refused = read_manifest(path)
    except BadManifest:
        return
    for row in rows:
        assert not Path(row.path).is_absolute()
        assert ".." not in Path(row.path).parts
    for what, why in refused:
        assert what
        assert why
