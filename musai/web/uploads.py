"""Files that a browser sends -> files in a folder of their own, under names that lead nowhere else.

Bodies are parsed as they come and never held whole; a ZIP archive is taken
apart within limits, so that a small one cannot become a large one.
"""

import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, BinaryIO

from anyio.to_thread import run_sync as in_thread
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request as HttpRequest

from musai.errors import BadInput
from musai.web.limits import UPLOAD

MAX_FILES = 20_000
MAX_FIELDS = 50
MAX_FILE = 64 * 2**20
"""Bytes of one file; what reads them has a lower limit for each kind of music."""

MAX_PART = 240
_COPY = 2**20
_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
_FORBIDDEN = set('<>:"|?*')


@dataclass(slots=True)
class Upload:
    """What one form sent: text fields by name, and files as (name, path) in `folder`."""

    folder: Path
    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, Path]] = field(default_factory=list)

    def discard(self) -> None:
        """Delete the folder with all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def safe_name(text: str) -> str:
    """A name, perhaps with folders before it, that stays inside the folder it is put in.

    Raises `BadInput` for one that would lead out, or that no file system takes.
    """
    plain = text.replace("\\", "/")
    parts = PurePosixPath(plain).parts
    leads = plain.startswith("/") or PureWindowsPath(text).drive or ".." in parts
    if not parts or leads or len(text) > 1000:
        raise BadInput(f"a file is called {text[:60]!r}; legal is a name inside the folder sent")
    for part in parts:
        stem = part.split(".")[0].strip().lower()
        odd = any(c in _FORBIDDEN or ord(c) < 32 for c in part) or part != part.rstrip(". ")
        if odd or stem in _RESERVED or len(part.encode()) > MAX_PART:
            raise BadInput(f"a file is called {part[:60]!r}, which not every system can store")
    return "/".join(parts)


async def receive(request: HttpRequest, home: Path) -> Upload:
    """Take a multipart form in, its files below `home`/uploads.  Raises `BadInput`, or 413 and 415 as HTTP has them."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise HTTPException(415, "files are sent as multipart/form-data")
    parser = MultiPartParser(
        request.headers,
        _stream(request),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=_COPY,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        said = getattr(error, "message", "") or str(error)
        raise BadInput(f"the form cannot be read: {said}") from None
    upload: Upload | None = None
    try:
        # Nothing is kept before the whole form is here: a connection that breaks leaves no folder.
        upload = Upload(await in_thread(_new_folder, home))
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                upload.fields[name] = value
            elif value.filename:
                await in_thread(_keep, upload, value)
    except BaseException:
        if upload is not None:
            upload.discard()
        raise
    finally:
        await form.close()
    return upload


async def _stream(request: HttpRequest) -> AsyncGenerator[bytes, None]:
    async for chunk in request.stream():
        yield chunk


def _new_folder(home: Path) -> Path:
    place = home / "uploads"
    place.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=place, prefix="upload-"))


def _keep(upload: Upload, sent: UploadFile) -> None:
    name = safe_name(sent.filename or "")
    if (sent.size or 0) > MAX_FILE:
        raise BadInput(f"{name} has {sent.size:,} bytes; legal is up to {MAX_FILE:,} a file")
    if name.lower().endswith(".zip"):
        upload.files += unpack(sent.file, upload.folder)
    else:
        with _place(upload.folder, name).open("xb") as target:
            shutil.copyfileobj(sent.file, target, _COPY)
        upload.files.append((name, upload.folder / name))


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise BadInput(f"{name} lies in what another entry says is a file") from None
    if path.exists():
        raise BadInput(f"{name} was sent twice; legal is once")
    return path


def unpack(archive: BinaryIO, folder: Path) -> list[tuple[str, Path]]:
    """The files of a ZIP archive, copied into `folder`; what they really hold is what is counted.

    Raises `BadInput` for an archive that is none, leads out of the folder, is locked, or holds
    more than an upload may.
    """
    try:
        with zipfile.ZipFile(archive) as held:
            return list(_taken_out(held, folder))
    except BadInput:
        raise
    except _UNREADABLE as error:
        raise BadInput(f"the archive cannot be opened: {error}") from None


_UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    struct.error,
    ValueError,
)
"""What `zipfile` raises for an archive that is none, is broken, or is locked."""


def _taken_out(held: zipfile.ZipFile, folder: Path) -> Iterator[tuple[str, Path]]:
    entries = [entry for entry in held.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise BadInput(f"the archive holds {len(entries)} files; legal is up to {MAX_FILES}")
    left = UPLOAD
    for entry in entries:
        if _hidden(entry.filename):
            continue
        name = safe_name(entry.filename)
        path = _place(folder, name)
        with held.open(entry) as source, path.open("xb") as target:
            left -= _copy(source, target, min(left, MAX_FILE), name)
        yield name, path


def _hidden(name: str) -> bool:
    """What systems add to archives of their own accord."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." not in parts and any(p.startswith(".") or p == "__MACOSX" for p in parts)


def _copy(source: IO[bytes], target: BinaryIO, most: int, name: str) -> int:
    """Copy at most `most` bytes; raises `BadInput` where there are more."""
    copied = 0
    while chunk := source.read(_COPY):
        copied += len(chunk)
        if copied > most:
            raise BadInput(f"{name} grows beyond {most:,} bytes when it is taken out")
        target.write(chunk)
    return copied
