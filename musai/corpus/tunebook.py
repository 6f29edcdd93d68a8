"""The default corpus, `tunebook`: built on the user's machine from the music that music21 ships.

music21 itself is never imported; its files are read where they lie.
"""

import hashlib
import importlib.util
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from musai.corpus import store as files
from musai.corpus.corpus import Corpus, Progress, corpora
from musai.corpus.licences import MUSIC21, terms_of
from musai.corpus.music21_shelf import Shelf, left_out_because, refused_because, shelf_of
from musai.corpus.reader import KINDS, Tune
from musai.corpus.store import Header, unpack_head
from musai.corpus.work import Creator, Evidence, Work
from musai.corpus.workers import read_all
from musai.errors import NotFound
from musai.music import NOTE, Phrase

NAME = "tunebook"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or tune that an import did not take, and why."""

    file: str
    reason: str


def build_tunebook(
    out: Path | None = None, progress: Progress | None = None, *, workers: int = 0
) -> Corpus:
    """Build tunebook in the folder `out` (default `<home>/corpora/tunebook`) and open it.

    Takes a minute or so on two cores.  Built aside and moved into place whole:
    interrupted, it leaves what was there before.  Raises `NotFound` where
    music21's corpus is not installed.
    """
    folder = out or corpora() / NAME
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as aside:
        fresh = Path(aside) / "corpus"
        fresh.mkdir()
        _fill(fresh, music21_root(), progress, workers)
        swap(fresh, folder)
    return Corpus.open(folder)


def swap(fresh: Path, folder: Path) -> None:
    """Put a finished folder where another may stand."""
    old = fresh.with_name("old")
    if folder.exists():
        folder.replace(old)
    try:
        fresh.replace(folder)
    except OSError:
        if old.exists():
            old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def music21_root() -> Path:
    """The folder of the scores that music21 ships."""
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("music21 is not installed; its scores are what tunebook is built from")
    root = Path(spec.submodule_search_locations[0]) / "corpus"
    if not (root / "license.txt").is_file():
        raise NotFound(f"{root} holds no scores; install music21 with its corpus")
    return root


def _fill(folder: Path, root: Path, progress: Progress | None, workers: int) -> None:
    paths = sorted(p for p in root.rglob("*") if p.is_file() and _is_score(p.relative_to(root)))
    taken: list[tuple[Path, Shelf]] = []
    left_out: list[LeftOut] = []
    for path in paths:
        relative = path.relative_to(root).as_posix()
        shelf = shelf_of(relative)
        if shelf is None:
            left_out.append(LeftOut(relative, left_out_because(relative)))
        else:
            taken.append((path, shelf))
    store = files.commit(folder, Header(files.FORMAT, NAME), ())
    additions = list(_read(root, taken, left_out, progress, workers))
    store = files.commit(folder, store.header, files.append(store, additions))
    rows = [msgspec.json.encode(row) for row in left_out]
    files.write_beside(folder / "left_out.jsonl", b"".join(row + b"\n" for row in rows))
    files.write_beside(folder / "card.md", card(Corpus(store), left_out).encode())


def _is_score(relative: Path) -> bool:
    suffixes = {*KINDS, ".krn", ".rntxt"}
    return len(relative.parts) > 1 and relative.parts[0][0] != "_" and relative.suffix in suffixes


def _read(
    root: Path,
    taken: list[tuple[Path, Shelf]],
    left_out: list[LeftOut],
    progress: Progress | None,
    workers: int,
) -> Iterator[tuple[Work, Phrase]]:
    """Every work that may come in; what may not is added to `left_out`."""
    titles = chorale_titles(root)
    licence = _licence_evidence(root)
    seen: set[str] = set()
    jobs = [(str(path), KINDS[path.suffix], "") for path, _ in taken]
    for index, reply in read_all(jobs, workers=workers):
        path, shelf = taken[index]
        relative = path.relative_to(root).as_posix()
        if progress:
            progress(index + 1, len(taken), relative)
        notices = tuple(dict.fromkeys(n for tune in reply.tunes for n in tune.notices))
        reason = reply.refused or refused_because(notices)
        if reason:
            left_out.append(LeftOut(relative, reason))
            continue
        left_out += [LeftOut(relative, fault) for fault in reply.faults]
        quotes = tuple(_evidence(relative, notice) for notice in notices)
        for tune in reply.tunes:
            work, phrase = _work(tune, shelf, relative, (licence, *quotes), titles, reply.sha256)
            if work.id in seen:
                left_out.append(LeftOut(work.source, "note for note the same as a tune before it"))
                continue
            seen.add(work.id)
            yield work, phrase


def _work(
    tune: Tune,
    shelf: Shelf,
    relative: str,
    evidence: tuple[Evidence, ...],
    chorales: dict[str, str],
    sha256: str,
) -> tuple[Work, Phrase]:
    phrase = phrase_from(tune)
    title = _title(tune, shelf, relative, chorales)
    others = tuple(t for t in tune.titles[1:] if t != title) if relative.endswith(".abc") else ()
    number = f"#{tune.number}" if relative.endswith(".abc") else ""
    work = Work(
        id=phrase.notes_id,
        title=title,
        creators=shelf.creators or _creators(tune, shelf),
        source=f"music21 {relative}{number}",
        evidence=evidence,
        licence=shelf.licence,
        collection=shelf.collection,
        terms=terms_of(shelf.licence, shelf.attribution),
        notes=len(phrase),
        titles=others,
        attribution=shelf.attribution,
        path=relative,
        file_sha256=sha256,
        grounds=shelf.grounds,
    )
    return work, phrase


def phrase_from(tune: Tune) -> Phrase:
    """The phrase that a reader process sent."""
    import numpy as np

    metre, voices, length = unpack_head(tune.head)
    return Phrase(np.frombuffer(tune.notes, NOTE), metre, voices, length)


def _creators(tune: Tune, shelf: Shelf) -> tuple[Creator, ...]:
    """Composers that the file itself names; nobody where it names a nation or a collector."""
    names = [n.strip(" .").title() if n.isupper() else n.strip(" .") for n in tune.creators]
    no_name = r"(?i)(scotch|irish|english|french|foreign|trad.*|anon.*|from .*|.*collected.*|\W*)"
    kept = [re.sub(r"(?i)^(composed )?by ", "", n) for n in names if not re.fullmatch(no_name, n)]
    return tuple(Creator(name) for name in dict.fromkeys(kept))


def _title(tune: Tune, shelf: Shelf, relative: str, chorales: dict[str, str]) -> str:
    stem = Path(relative).stem
    movement = re.fullmatch(r"movement(\d+).*", stem)
    if shelf.title:
        return f"{shelf.title}, movement {movement.group(1)}" if movement else shelf.title
    if shelf.collection == "bach-chorales":
        number = stem.removeprefix("bwv")
        known = chorales.get(number) or chorales.get(re.sub(r"-\d+$|[a-z]+$", "", number))
        return f"{known} (BWV {number})" if known else f"Chorale, BWV {number}"
    if shelf.collection == "monteverdi-madrigals":
        return _madrigal(stem, (*tune.titles, *tune.creators))
    if tune.titles:
        return tune.titles[0]
    return re.sub(r"^PMFC[_\d-]+(-)?|_", " ", stem).strip(" -")


def _madrigal(stem: str, headings: tuple[str, ...]) -> str:
    """A madrigal by book and number, with its first words where the page was read rightly."""
    _, book, number = stem.split(".")[:3]
    place = f"Madrigals, book {book} no. {number}"
    for heading in headings:
        match = re.fullmatch(
            r"\d+\.?\s*([A-ZÀ-Ý' ,.]{8,})", heading.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        )
        if match:
            return f"{match.group(1).strip(' .').capitalize()} ({place})"
    return place


def chorale_titles(root: Path) -> dict[str, str]:
    """Chorale titles by BWV number, from the table in music21's source, read as text."""
    text = (root / "chorales.py").read_text("utf-8")
    titles = {
        bwv.rstrip("s"): title.strip()
        for bwv, title in re.findall(
            r"^\s*\d+---\|\|---([^|]+?)---\|\|---([^|]+?)---\|\|---", text, re.M
        )
    }
    for title, bwv in re.findall(r"^\s*\|([^|-][^|]*?)\|\|(\d+)\|\|\d+\|\|", text, re.M):
        titles.setdefault(bwv, title.strip())
    return titles


def _licence_evidence(root: Path) -> Evidence:
    """music21's own words on its corpus."""
    text = (root / "license.txt").read_text("utf-8")
    quote = " ".join(
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")
    )
    start = quote.find("To the best of our knowledge")
    return _evidence("license.txt", quote[start : start + 330].rsplit(".", 1)[0] + ".")


def _evidence(file: str, quote: str) -> Evidence:
    return Evidence(file, quote, hashlib.sha256(quote.encode()).hexdigest())


def card(corpus: Corpus, left_out: list[LeftOut]) -> str:
    """What the corpus is, on what grounds, and what stayed out, in words."""
    works, notes = Counter[str](), Counter[str]()
    for work in corpus.works:
        works[work.collection] += 1
        notes[work.collection] += work.notes
    grounds = {work.collection: work.grounds for work in corpus.works}
    reasons = Counter(row.reason.split(": “")[0] for row in left_out)
    rows = [f"| {c} | {works[c]} | {notes[c]} | {grounds[c]} |" for c in works]
    out = [f"- {count} × {reason}" for reason, count in reasons.most_common()]
    return "\n".join(
        [
            f"# {corpus.name}",
            "",
            f"{len(corpus)} works, {corpus.notes} notes, built on this machine from the scores that music21 ships.",
            "",
            "## Grounds",
            "",
            f"Nearly all works are under `{MUSIC21}`: the work is in the public domain, while the person who",
            "encoded it states no terms.  musai reads that as: matching on this machine allowed; training and",
            "the display of influence allowed, on the public-domain ground; commercial use of what a model",
            "trained on it generates *unclear*.  Transcribers' names and addresses are not carried over.",
            "",
            "| collection | works | notes | grounds |",
            "|---|---|---|---|",
            *rows,
            "",
            "## How it was read",
            "",
            "Repeats are not unfolded; first and second endings follow one another.  Ties are joined; grace",
            "notes, ornaments, chord symbols and words are left out.  Incomplete bars are placed so that bar",
            "lines fall on the metre: a pickup fills the end of bar 1.  Every velocity is 80.  Tempi are the",
            "source's where it has them, else usual for the kind of tune.",
            "",
            f"## Left out: {len(left_out)} files or tunes (left_out.jsonl has each)",
            "",
            *out,
            "",
        ]
    )
