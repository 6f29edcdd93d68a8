"""The default corpus, `tunebook`: built on the user's machine from the music that music21 ships.

music21 itself is never imported; its files are read where they lie.
"""

import hashlib
import importlib.util
import re
from collections import Counter
from pathlib import Path

from musai.corpus.changes import Additions, LeftOut, kind_of, replace_with
from musai.corpus.corpus import Corpus, Progress, corpora
from musai.corpus.importers import phrase_from
from musai.corpus.licences import MUSIC21, terms_of
from musai.corpus.music21_shelf import Shelf, left_out_because, refused_because, shelf_of
from musai.corpus.reader import KINDS, Tune
from musai.corpus.work import Creator, Evidence, Work
from musai.corpus.workers import read_all
from musai.errors import NotFound
from musai.music import Phrase

NAME = "tunebook"


def build_tunebook(
    out: Path | None = None,
    progress: Progress | None = None,
    *,
    workers: int = 0,
    root: Path | None = None,
) -> Corpus:
    """Build tunebook in the folder `out` (default `<home>/corpora/tunebook`) and open it.

    `root` is the folder of music21's scores, found where music21 is installed.
    Takes under a minute on two cores.  Interrupted, it leaves what was there
    before.  Raises `NotFound` where music21's corpus is not installed.
    """
    folder = Path(out) if out else corpora() / NAME
    replace_with(folder, NAME, _read(root or music21_root(), progress, workers), card)
    return Corpus.open(folder)


def music21_root() -> Path:
    """The folder of the scores that music21 ships."""
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("music21 is not installed; its scores are what tunebook is built from")
    root = Path(spec.submodule_search_locations[0]) / "corpus"
    if not (root / "license.txt").is_file():
        raise NotFound(f"{root} holds no scores; install music21 with its corpus")
    return root


def _shelved(root: Path) -> tuple[list[tuple[Path, Shelf]], list[LeftOut]]:
    """The files that a shelf takes, and why the others stay out."""
    taken: list[tuple[Path, Shelf]] = []
    left: list[LeftOut] = []
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or not _is_score(relative):
            continue
        shelf = shelf_of(relative.as_posix())
        if shelf is None:
            left.append(LeftOut(relative.as_posix(), left_out_because(relative.as_posix())))
        else:
            taken.append((path, shelf))
    return taken, left


def _is_score(relative: Path) -> bool:
    suffixes = {*KINDS, ".krn", ".rntxt"}
    return len(relative.parts) > 1 and relative.parts[0][0] != "_" and relative.suffix in suffixes


def _read(root: Path, progress: Progress | None, workers: int) -> Additions:
    """Every work that may come in, and every file or tune that may not, with the reason."""
    taken, left = _shelved(root)
    yield from left
    titles = chorale_titles(root)
    licence = _licence_evidence(root)
    jobs = [(str(path), KINDS[path.suffix], "") for path, _ in taken]
    for index, reply in read_all(jobs, workers=workers):
        path, shelf = taken[index]
        relative = path.relative_to(root).as_posix()
        if progress:
            progress(index + 1, len(taken), relative)
        notices = tuple(dict.fromkeys(n for tune in reply.tunes for n in tune.notices))
        reason = reply.refused or refused_because(notices)
        if reason:
            yield LeftOut(relative, reason)
            continue
        yield from (LeftOut(relative, fault) for fault in reply.faults)
        evidence = (licence, *(_evidence(relative, notice) for notice in notices))
        for tune in reply.tunes:
            yield _work(tune, shelf, relative, evidence, titles, reply.sha256)


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


_NO_PERSON = re.compile(
    r"(?i)(scotch|irish|english|french|foreign|wel[cs]h|gaelic|virginian|west india|trad.*|anon.*"
    r"|from .*|.*collected.*|.*\b(air|reel|jig|tune|march|sung|set|lady)\b.*|\W*)"
)
"""What transcribers also write where a composer's name belongs: nations, kinds of tune, collectors."""

_SHELFMARK = re.compile(r" [A-Z]{1,2}-[A-Z][A-Za-z]+ [\d.]+$")


def _creators(tune: Tune, shelf: Shelf) -> tuple[Creator, ...]:
    """Composers that the file itself names; nobody where it names a nation or a collector."""
    names = []
    for said in tune.creators:
        name = re.sub(r"(?i)^(composed )?by ", "", _SHELFMARK.sub("", said.strip(" .")))
        name = re.sub(r"\.(?=\w)", ". ", name.title() if name.isupper() else name)
        if not _NO_PERSON.fullmatch(name):
            names.append(name)
    return tuple(Creator(name) for name in dict.fromkeys(names))


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
    reasons = Counter(kind_of(row.reason) for row in left_out)
    rows = [f"| {c} | {works[c]} | {notes[c]} | {grounds[c]} |" for c in works]
    out = [f"- {count}: {reason}" for reason, count in reasons.most_common()]
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
