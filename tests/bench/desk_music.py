"""What `make bench-desk` works on: a folder to import, files to match, a catalogue of 10,000 works."""

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musai.corpus import changes
from musai.corpus.licences import terms_of
from musai.corpus.work import Creator, Holder, Work
from musai.music import Phrase
from musai.music.notes import untangled

LIEDER = Path("../shared/data/openscore-lieder")
LARGE = 10_000
LICENCES = ("CC0-1.0", "CC-BY-4.0", "LicenseRef-contract", "")


def rows() -> list[dict[str, str]]:
    """The manifest of the songs."""
    with (LIEDER / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def archive(path: Path) -> int:
    """All songs and their manifest as one ZIP archive; how many songs."""
    listed = rows()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as held:
        held.write(LIEDER / "manifest.csv", "lieder/manifest.csv")
        for row in listed:
            held.write(LIEDER / row["path"], f"lieder/{row['path']}")
    return len(listed)


def files(folder: Path, count: int, notes: int, seed: int) -> list[Path]:
    """`count` MIDI files of about `notes` notes each: songs, transposed, with a tenth of their
    pitches moved, cut or joined to that length."""
    rng = np.random.Generator(np.random.Philox(seed))
    chosen = [row for row in rows() if int(row["notes"]) >= notes]
    order = rng.permutation(len(chosen))[:count]
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, at in enumerate(order.tolist()):
        phrase = Phrase.from_midi(LIEDER / chosen[at]["path"])
        path = folder / f"file-{number:03}.mid"
        path.write_bytes(changed(phrase, notes, rng).to_midi())
        made.append(path)
    return made


def changed(phrase: Phrase, notes: int, rng: np.random.Generator) -> Phrase:
    """Its first notes in another key, a tenth of their pitches moved."""
    part = phrase.notes[:notes].copy()
    pitch = part["pitch"].astype(np.int64) + int(rng.integers(-4, 5))
    moved = rng.random(len(part)) < 0.1
    pitch[moved] += rng.integers(-3, 4, int(moved.sum()))
    part["pitch"] = np.clip(pitch, 21, 108)
    part = untangled(part)
    end = int((part["onset"].astype(np.int64) + part["duration"]).max())
    return Phrase(part, phrase.metre, phrase.voices, end)


def large(folder: Path, seed: int) -> None:
    """A catalogue of `LARGE` works: passages of the songs, each under a title, owners and terms."""
    if not (folder / "catalogue.jsonl").is_file():
        changes.add_to(folder, folder.name, _passages(seed))


def _passages(seed: int) -> Iterator[tuple[Work, Phrase]]:
    rng = np.random.Generator(np.random.Philox(seed))
    listed = rows()
    seen: set[str] = set()
    number = 0
    while number < LARGE:
        row = listed[number % len(listed)]
        phrase = Phrase.from_midi(LIEDER / row["path"])
        for _ in range(min(20, LARGE - number)):
            size = int(rng.integers(40, 200))
            first = int(rng.integers(0, max(1, len(phrase) - size)))
            part = phrase.notes[first : first + size].copy()
            part["onset"] -= part["onset"].min()
            part["pitch"] = np.clip(
                part["pitch"].astype(np.int64) + int(rng.integers(-5, 6)), 0, 127
            )
            part = untangled(part)
            end = int((part["onset"].astype(np.int64) + part["duration"]).max())
            passage = Phrase(part, phrase.metre, phrase.voices, end)
            if passage.notes_id in seen:
                continue
            seen.add(passage.notes_id)
            yield _work(passage, row, number), passage
            number += 1


def _work(phrase: Phrase, row: dict[str, str], number: int) -> Work:
    licence = LICENCES[number % len(LICENCES)] or "LicenseRef-unknown"
    return Work(
        id=phrase.notes_id,
        title=f"{row['title']}, passage {number}",
        creators=(Creator(row["composer"]),),
        holders=(Holder(f"Press {number % 97}"),),
        source=f"passages/{number}.mid",
        licence=licence,
        collection=row["collection"],
        terms=terms_of(licence, ""),
        notes=len(phrase),
        path=f"passages/{number}.mid",
    )
