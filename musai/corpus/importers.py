"""Files from outside -> works: MIDI, MusicXML, MXL and ABC, with or without a manifest.

The files of an import are planned first (which, read how, under what words),
then read by `workers` in processes of their own, then become works.  A file
that cannot be read, or that its manifest row does not fit, is left out with
the reason; the import goes on.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from musai.corpus.changes import Additions, LeftOut, Summary, add_to, plain_card, replace_with
from musai.corpus.corpus import Progress, checked_name
from musai.corpus.licences import OWN, UNKNOWN, own_terms
from musai.corpus.manifest import ManifestRow, read_manifest
from musai.corpus.reader import KINDS, Reply, Tune
from musai.corpus.store import unpack_head
from musai.corpus.work import Creator, Evidence, Work
from musai.corpus.workers import Limits, read_all
from musai.errors import BadInput
from musai.music import NOTE, Phrase

MANIFESTS = ("manifest.csv", "manifest.jsonl", "manifest.ndjson")
MAX_FILES = 200_000


@dataclass(frozen=True, slots=True)
class Item:
    """A file to read: where it is, what it is called in the corpus, and what a manifest says."""

    path: Path
    relative: str
    source: str
    rows: tuple[ManifestRow, ...] = ()

    @property
    def sha256(self) -> str:
        """The hash that the manifest gives, or nothing."""
        return next((row.sha256 for row in self.rows if row.sha256), "")


@dataclass(frozen=True, slots=True)
class Declaration:
    """`--mine`: the works that no manifest gives a licence for are declared the caller's own."""

    by: str = ""
    on: date | None = None

    @property
    def evidence(self) -> Evidence:
        """The declaration in words."""
        who = self.by or "the person who added it"
        when = f" on {self.on.isoformat()}" if self.on else ""
        quote = f"{who} declared this work to be their own{when}"
        return Evidence("declaration", quote, hashlib.sha256(quote.encode()).hexdigest())


def build(
    folder_or_files: str | Path | Iterable[str | Path],
    out: Path,
    *,
    name: str | None = None,
    mine: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Make the folder `out` a corpus of these files: see `Corpus.build`."""
    items, left = plan(folder_or_files)
    additions = read_items(items, left, Declaration() if mine else None, progress)
    return replace_with(out, checked_name(name or _plain(out.name)), additions, plain_card)


def add(
    source: str | Path | Iterable[str | Path],
    folder: Path,
    name: str,
    *,
    manifest: Path | None = None,
    declaration: Declaration | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    workers: int = 0,
) -> Summary:
    """Add the music in a folder or in files to the corpus in `folder`, made if it is missing.

    Raises `BadInput` for a source that is not there, a manifest that is none,
    and a new corpus in which nothing could be read.
    """
    items, left = plan(source, manifest)
    additions = read_items(items, left, declaration, progress, limits, workers)
    return add_to(folder, checked_name(name), additions)


def _plain(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    return kept.strip("-.")[:64] or "corpus"


def plan(
    source: str | Path | Iterable[str | Path], manifest: Path | None = None
) -> tuple[list[Item], list[LeftOut]]:
    """Which files to read, in order of their names, and which to leave out already."""
    if not isinstance(source, str | Path):
        return _loose([Path(path) for path in source])
    folder = Path(source)
    if folder.is_file() and manifest is None:
        return _loose([folder])
    if not folder.is_dir():
        raise BadInput(f"{folder} is not there; legal is a folder or a file of music")
    manifest = manifest or next((folder / m for m in MANIFESTS if (folder / m).is_file()), None)
    files = _files(folder)
    if manifest is None:
        return [Item(folder / f, f, f"{folder.resolve().name}/{f}") for f in files], []
    return _listed(folder, manifest, files)


def _loose(paths: list[Path]) -> tuple[list[Item], list[LeftOut]]:
    """Files named one by one; folders among them are taken whole."""
    items: list[Item] = []
    left: list[LeftOut] = []
    for path in paths:
        if path.is_dir():
            inside, out = plan(path)
            items, left = items + inside, left + out
        elif not path.is_file():
            left.append(LeftOut(path.name, "it is not there"))
        elif path.suffix.lower() not in KINDS:
            left.append(LeftOut(path.name, _no_kind(path)))
        else:
            items.append(Item(path, path.name, path.name))
    return items, left


def _files(folder: Path) -> list[str]:
    """Music files below a folder, by their paths in it; hidden ones are passed over."""
    found = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts):
            continue
        if path.suffix.lower() in KINDS and path.is_file():
            found.append(relative.as_posix())
        if len(found) > MAX_FILES:
            raise BadInput(f"{folder} has more than {MAX_FILES} files of music")
    return sorted(found)


def _no_kind(path: Path) -> str:
    return f"its name ends in {path.suffix or 'nothing'}; legal is {', '.join(sorted(KINDS))}"


def _listed(folder: Path, manifest: Path, files: list[str]) -> tuple[list[Item], list[LeftOut]]:
    """The files that a manifest lists; others are left out."""
    rows, refused = read_manifest(manifest)
    left = [LeftOut(*row) for row in refused]
    by_path: dict[str, list[ManifestRow]] = {}
    for row in rows:
        by_path.setdefault(row.path, []).append(row)
    items = []
    for relative, here in sorted(by_path.items()):
        path = folder / relative
        reason = _unfit(path, folder, here)
        if reason:
            left.append(LeftOut(relative, reason))
        else:
            items.append(Item(path, relative, f"{folder.resolve().name}/{relative}", tuple(here)))
    named = set(by_path) | {row.file for row in left}
    left += [LeftOut(f, f"{manifest.name} does not list it") for f in files if f not in named]
    return items, left


def _unfit(path: Path, folder: Path, rows: list[ManifestRow]) -> str:
    """Why a listed file cannot be read; empty where it can."""
    if not path.resolve().is_relative_to(folder.resolve()):
        return "its path leads out of the manifest's folder"
    if not path.is_file():
        return "it is not there"
    if path.suffix.lower() not in KINDS:
        return _no_kind(path)
    numbers = [row.number for row in rows]
    if len(set(numbers)) < len(numbers):
        return "the manifest lists it twice"
    if len({row.sha256 for row in rows if row.sha256}) > 1:
        return "the manifest gives it two hashes"
    return ""


def read_items(
    items: list[Item],
    left: list[LeftOut],
    declaration: Declaration | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    workers: int = 0,
) -> Additions:
    """Every work of the files, and every file or tune that is left out."""
    yield from left
    jobs = [(str(item.path), KINDS[item.path.suffix.lower()], item.sha256) for item in items]
    for index, reply in read_all(jobs, limits, workers):
        item = items[index]
        if progress:
            progress(index + 1, len(items), item.relative)
        if reply.refused:
            yield LeftOut(item.relative, reply.refused)
            continue
        yield from (LeftOut(item.relative, fault) for fault in reply.faults)
        yield from _works(item, reply, declaration)


def _works(
    item: Item, reply: Reply, declaration: Declaration | None
) -> Iterator[tuple[Work, Phrase] | LeftOut]:
    """The works that one file holds."""
    many = len(reply.tunes) > 1
    rows = {row.number: row for row in item.rows}
    for tune in reply.tunes:
        row = rows.pop(tune.number, None) or rows.get("") if item.rows else None
        if item.rows and row is None:
            yield LeftOut(f"{item.relative}#{tune.number}", "the manifest does not list this tune")
            continue
        yield work_of(item, tune, row, reply.sha256, declaration, many)
    for number in rows:
        if number:
            yield LeftOut(f"{item.relative}#{number}", "the file has no tune of this number")


def work_of(
    item: Item,
    tune: Tune,
    row: ManifestRow | None,
    sha256: str,
    declaration: Declaration | None,
    many: bool,
) -> tuple[Work, Phrase]:
    """One work: what the manifest says goes before what the file says of itself."""
    said = row or ManifestRow(item.relative)
    phrase = phrase_from(tune)
    own = declaration is not None and not said.licence and not said.stated
    titles = tuple(
        t
        for t in ((said.title,) if said.title and (not many or said.number) else ()) or tune.titles
    )
    notices = tuple(
        Evidence(item.relative, notice, hashlib.sha256(notice.encode()).hexdigest())
        for notice in tune.notices[:8]
    )
    declared = (declaration.evidence,) if own and declaration else ()
    work = Work(
        id=phrase.notes_id,
        title=titles[0] if titles else Path(item.relative).stem,
        creators=said.creators or tuple(Creator(name) for name in tune.creators),
        holders=said.holders,
        source=(said.source or item.source) + (f"#{tune.number}" if many else ""),
        evidence=(*said.evidence, *declared, *notices),
        licence=said.licence or (OWN if own else UNKNOWN),
        collection=said.collection,
        terms=own_terms(declaration.by) if own and declaration else said.terms(),
        notes=len(phrase),
        titles=titles[1:],
        attribution=said.attribution,
        iswc=said.iswc,
        path=item.relative,
        file_sha256=sha256,
    )
    return work, phrase


def phrase_from(tune: Tune) -> Phrase:
    """The phrase that a reader process sent."""
    metre, voices, length = unpack_head(tune.head)
    return Phrase(np.frombuffer(tune.notes, NOTE), metre, voices, length)
