"""Manifests: what somebody says about the files of a folder, as CSV or JSON Lines.

A row names a file by `path`, relative to the manifest's folder and inside it.
Everything else may be left out:

=====================  =======================================================================
number                 one tune of an ABC file, by its X: number; without it the row is for all
title, collection      as words
composer               a name; composer_born, composer_died, composer_wikidata, composer_ipi
creators               several: a JSON list of {name, role, born, died, ipi, wikidata}, or
                       names with ; between
holders                who owns it: a JSON list of {name, share, ipi}, shares in basis points,
                       or "A Press=6000; The Estate=4000"
licence                an SPDX id or expression, or a LicenseRef
attribution            the credit that the licence asks for
source, source_path    where it came from
iswc, sha256           its work code; the file's hash, checked before it is read
evidence_file, -quote  the text that supports the terms: a file in the folder, or words
match, train,          the owner's own terms for a use: allowed, denied, unclear, conditional;
influence, commercial  train_share, train_territory, train_since, train_until,
                       train_attribution, train_reason (and so for each use) state conditions
terms                  the same as one JSON object: {"train": {"status": "conditional", ...}}
=====================  =======================================================================

Other columns are passed over.  A row at fault is refused with its reason, the
rows around it are read.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from musai.corpus.licences import USES, Term, Terms, Use, read_term, terms_of
from musai.corpus.work import Creator, Evidence, Holder
from musai.errors import BadManifest

MAX_BYTES = 64 * 2**20
MAX_ROWS = 200_000
MAX_CELL = 100_000
_CONDITIONS = ("status", "reason", "attribution", "share", "territory", "since", "until")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row, checked."""

    path: str
    number: str = ""
    title: str = ""
    collection: str = ""
    creators: tuple[Creator, ...] = ()
    holders: tuple[Holder, ...] = ()
    licence: str = ""
    attribution: str = ""
    source: str = ""
    iswc: str = ""
    sha256: str = ""
    evidence: tuple[Evidence, ...] = ()
    stated: tuple[tuple[Use, Term], ...] = ()

    def terms(self) -> Terms:
        """What the licence gives, and before it what the row states for a use."""
        terms = terms_of(self.licence, self.attribution)
        for use, term in self.stated:
            terms = terms.changed(use, term)
        return terms


def read_manifest(path: Path) -> tuple[list[ManifestRow], list[tuple[str, str]]]:
    """(rows, refused rows as (what, why)) of a manifest.

    Raises `BadManifest` for a file that is none: not UTF-8, without a path
    column, too large, or not CSV or JSON Lines by its name.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadManifest(
                f"{path.name} has {path.stat().st_size} bytes; legal is up to {MAX_BYTES}"
            )
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise BadManifest(f"{path} cannot be read: {fault.strerror or fault}") from fault
    except UnicodeDecodeError as fault:
        raise BadManifest(f"{path.name} is not UTF-8: byte {fault.start}") from fault
    if path.suffix.lower() == ".csv":
        records = _csv(text, path.name)
    elif path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        records = _json_lines(text)
    else:
        raise BadManifest(f"{path.name} is no manifest; legal is .csv, .jsonl, .ndjson or .json")
    rows, refused = [], []
    for count, (line, record) in enumerate(records, 1):
        if count > MAX_ROWS:
            raise BadManifest(f"{path.name} has more than {MAX_ROWS} rows")
        try:
            if isinstance(record, str):
                raise BadManifest(record)
            rows.append(read_row(record, path))
        except BadManifest as fault:
            named = record.get("path") if isinstance(record, Mapping) else ""
            refused.append((str(named or f"{path.name} line {line}")[:200], str(fault)))
    return rows, refused


def _csv(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """(line, cells by column) of a CSV; a sentence instead of cells where they do not fit."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.DictReader(io.StringIO(text.replace("\0", "\ufffd"), newline=""), strict=True)
    try:
        columns = [(column or "").strip().lower() for column in reader.fieldnames or ()]
        if "path" not in columns:
            raise BadManifest(
                f"{name} has columns {columns[:12]}; legal is one called path among them"
            )
        if len(set(columns)) < len(columns):
            raise BadManifest(f"{name} has two columns of one name among {columns[:20]}")
        reader.fieldnames = columns
        for record in reader:
            cells: dict[Any, Any] = record
            if None in cells or None in cells.values():
                yield reader.line_num, f"the row does not have {len(columns)} cells"
            else:
                yield reader.line_num, {k: v.strip() for k, v in cells.items() if v.strip()}
    except csv.Error as fault:
        raise BadManifest(f"{name} line {reader.line_num}: {fault}") from fault


def _json_lines(text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """(line, object) of JSON Lines; a sentence instead of what is no object."""
    for line, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            continue
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError) as fault:
            yield line, f"the line is not JSON: {fault}"
            continue
        yield line, record if isinstance(record, dict) else "the line is not a JSON object"


def read_row(record: Mapping[str, Any], manifest: Path) -> ManifestRow:
    """One row from its cells.  Raises `BadManifest` naming the cell at fault."""
    cells = {str(k).strip().lower(): v for k, v in record.items() if v not in (None, "", [], {})}
    path = safe_path(_text(cells, "path"))
    stated = tuple((use, term) for use in USES if (term := _stated(cells, use)) is not None)
    licence, attribution = (
        _text(cells, "licence") or _text(cells, "license"),
        _text(cells, "attribution"),
    )
    row = ManifestRow(
        path=path,
        number=_text(cells, "number"),
        title=_text(cells, "title"),
        collection=_text(cells, "collection"),
        creators=_creators(cells),
        holders=_holders(cells.get("holders") or cells.get("holder")),
        licence=licence,
        attribution=attribution,
        source=" ".join(filter(None, (_text(cells, "source"), _text(cells, "source_path")))),
        iswc=_text(cells, "iswc"),
        sha256=_hash(_text(cells, "sha256")),
        evidence=_evidence(cells, manifest, licence, attribution),
        stated=stated,
    )
    row.terms()  # refused here, where the row is known, rather than later
    if sum(holder.share for holder in row.holders) > 10_000:
        raise BadManifest(
            f"shares sum to {sum(h.share for h in row.holders)}; legal is up to 10000"
        )
    return row


def safe_path(text: str) -> str:
    """A path inside the manifest's folder, with / between its parts; `BadManifest` for any other."""
    if not text:
        raise BadManifest("the row names no path")
    if "\0" in text or len(text) > 1000:
        raise BadManifest(f"path is {text[:60]!r}; legal is up to 1000 characters without NUL")
    plain = PurePosixPath(text.replace("\\", "/"))
    if plain.is_absolute() or PureWindowsPath(text).drive or ".." in plain.parts:
        raise BadManifest(f"path is {text!r}; legal is a path inside the manifest's folder")
    return plain.as_posix()


def _text(cells: Mapping[str, Any], name: str) -> str:
    value = cells.get(name, "")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadManifest(f"{name} is {value!r}; legal is a text")
    text = str(value).strip()
    if len(text) > MAX_CELL:
        raise BadManifest(f"{name} has {len(text)} characters; legal is up to {MAX_CELL}")
    return text


def _hash(text: str) -> str:
    lowered = text.lower()
    if lowered and not re.fullmatch(r"[0-9a-f]{64}", lowered):
        raise BadManifest(f"sha256 is {text[:70]!r}; legal is 64 hexadecimal digits")
    return lowered


def _year(cells: Mapping[str, Any], name: str) -> int | None:
    text = _text(cells, name)
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,4}(\.0)?", text):
        raise BadManifest(f"{name} is {text!r}; legal is a year")
    return int(float(text))


def _creators(cells: Mapping[str, Any]) -> tuple[Creator, ...]:
    found = []
    composer = _text(cells, "composer")
    if composer:
        found.append(
            Creator(
                composer,
                born=_year(cells, "composer_born"),
                died=_year(cells, "composer_died"),
                ipi=_text(cells, "composer_ipi"),
                wikidata=_text(cells, "composer_wikidata"),
            )
        )
    for value in _listed(cells.get("creators"), "creators"):
        if isinstance(value, str):
            found.append(Creator(value))
        elif isinstance(value, Mapping) and value.get("name"):
            found.append(
                Creator(
                    str(value["name"]),
                    str(value.get("role") or "composer"),
                    _year(value, "born"),
                    _year(value, "died"),
                    str(value.get("ipi") or ""),
                    str(value.get("wikidata") or ""),
                )
            )
        else:
            raise BadManifest(f"a creator is {value!r}; legal is a name or an object with one")
    return tuple(dict.fromkeys(found))


def _holders(value: Any) -> tuple[Holder, ...]:
    listed = _listed(value, "holders")
    found = []
    for entry in listed:
        if isinstance(entry, str):
            name, _, share = entry.rpartition("=") if "=" in entry else (entry, "", "")
            even = 10_000 // len(listed)
            found.append(Holder(name.strip(), _share(share) if share else even))
        elif isinstance(entry, Mapping) and entry.get("name"):
            share = entry.get("share", 10_000 // len(listed))
            found.append(Holder(str(entry["name"]), _share(share), str(entry.get("ipi") or "")))
        else:
            raise BadManifest(f"a holder is {entry!r}; legal is a name or an object with one")
    return tuple(found)


def _share(value: Any) -> int:
    text = str(value).strip()
    if not re.fullmatch(r"\d{1,5}", text) or int(text) > 10_000:
        raise BadManifest(f"a share is {text!r}; legal is 0 to 10000 basis points")
    return int(text)


def _listed(value: Any, name: str) -> list[Any]:
    """A list from JSON, from a cell that holds JSON, or from names with ; between."""
    if value in (None, ""):
        return []
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as fault:
            raise BadManifest(f"{name} is not JSON: {fault}") from fault
    if isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    if not isinstance(value, list):
        raise BadManifest(f"{name} is {value!r}; legal is a list")
    return value


def _stated(cells: Mapping[str, Any], use: Use) -> Term | None:
    """The row's own term for a use, from `terms` or from the columns named after the use."""
    terms = cells.get("terms", {})
    if isinstance(terms, str):
        try:
            terms = json.loads(terms)
        except (ValueError, RecursionError) as fault:
            raise BadManifest(f"terms is not JSON: {fault}") from fault
    if not isinstance(terms, Mapping):
        raise BadManifest(f"terms is {terms!r}; legal is an object with a term for each use")
    strange = sorted(set(map(str, terms)) - set(USES))
    if strange:
        raise BadManifest(f"terms has {strange}; legal is {', '.join(USES)}")
    if use in terms:
        return read_term(terms[use], use)
    if isinstance(cells.get(use), Mapping):
        return read_term(cells[use], use)
    flat = {key: cells[f"{use}_{key}"] for key in _CONDITIONS if f"{use}_{key}" in cells}
    if use in cells:
        flat["status"] = _text(cells, use).lower()
    return read_term(flat, use) if flat else None


def _evidence(
    cells: Mapping[str, Any], manifest: Path, licence: str, attribution: str
) -> tuple[Evidence, ...]:
    """The text that supports the terms: quoted, in a file, or else the row's own statement."""
    file, quote = _text(cells, "evidence_file"), _text(cells, "evidence_quote")
    if file and not quote:
        inside = manifest.parent / safe_path(file)
        if not inside.resolve().is_relative_to(manifest.parent.resolve()):
            raise BadManifest(
                f"evidence_file is {file!r}; legal is a file inside the manifest's folder"
            )
        try:
            with inside.open("rb") as stream:
                data = stream.read(2**20)
        except OSError as fault:
            raise BadManifest(f"evidence_file {file!r} cannot be read: {fault.strerror}") from fault
        words = " ".join(data.decode("utf-8", "replace").split())[:500]
        return (Evidence(file, words, hashlib.sha256(data).hexdigest()),)
    if not quote and licence:
        quote = f"licence: {licence}" + (f"; attribution: {attribution}" if attribution else "")
    if not quote:
        return ()
    return (Evidence(file or manifest.name, quote, hashlib.sha256(quote.encode()).hexdigest()),)
