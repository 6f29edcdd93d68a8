"""The rows of the API that are no plain values: files in, files out, and events as they happen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
from anyio.to_thread import run_sync as in_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, Response, StreamingResponse

from musai.corpus.corpus import checked_name
from musai.errors import BadInput, NotFound
from musai.music import Phrase
from musai.report import roll_svg
from musai.report.roll import picture_policy
from musai.service.interface import DeskLike
from musai.service.rows import JobRow
from musai.web.api import written
from musai.web.api_calls import jam_number
from musai.web.uploads import Upload, receive

ENDED = ("done", "failed", "cancelled")
MAX_FIELD = 200
"""Characters of a text that comes with files."""

BEAT_SECONDS = 15.0
"""Silence after which a comment keeps the connection alive."""


async def start_match(service: DeskLike, request: HttpRequest) -> Response:
    """Files in, a job that compares them out."""
    upload = await receive(request, service.home)
    return written(await in_thread(match_upload, service, upload), 202)


def match_upload(service: DeskLike, upload: Upload) -> JobRow:
    """Begin to compare what was sent; the folder goes when the job ends."""
    try:
        _checked(upload)
        session = upload.fields.get("session", "").strip() or "files"
        job: JobRow = service.tasks.match_files(upload.files, session=session, tidy=upload.folder)
    except BaseException:
        upload.discard()
        raise
    return job


def _checked(upload: Upload) -> None:
    """Raise `BadInput` where nothing was sent, or a text beside it is too long."""
    if not upload.files:
        raise BadInput("no file was sent; legal is at least one")
    for name, value in upload.fields.items():
        if len(value) > MAX_FIELD:
            raise BadInput(f"{name} has {len(value)} characters; legal is up to {MAX_FIELD}")


async def start_import(service: DeskLike, request: HttpRequest) -> Response:
    """Files in, a job that adds them to a corpus out."""
    upload = await receive(request, service.home)
    return written(await in_thread(import_upload, service, upload), 202)


def import_upload(service: DeskLike, upload: Upload) -> JobRow:
    """Begin to add what was sent to the corpus that the form names."""
    try:
        _checked(upload)
        corpus = checked_name(upload.fields.get("corpus", "").strip())
        who = upload.fields.get("who", "").strip()
        mine = upload.fields.get("mine", "") in ("yes", "on", "true", "1")
        folder, manifest = _top(upload)
        job: JobRow = service.tasks.import_works(
            folder, corpus, who=who, mine=mine, manifest=manifest, tidy=upload.folder
        )
    except BaseException:
        upload.discard()
        raise
    return job


def _top(upload: Upload) -> tuple[Path, Path | None]:
    """The folder that the manifest lies in, and the manifest: a dropped folder brings its own name."""
    found = sorted(
        (path for name, path in upload.files if path.name.lower() in _MANIFESTS),
        key=lambda path: len(path.parts),
    )
    return (found[0].parent, found[0]) if found else (upload.folder, None)


_MANIFESTS = ("manifest.csv", "manifest.jsonl", "manifest.ndjson")


async def all_events(service: DeskLike, request: HttpRequest) -> Response:
    """Every change of every job."""
    return _events(service, lambda job: True, False)


async def job_events(service: DeskLike, request: HttpRequest) -> Response:
    """The changes of one job; the connection ends with it."""
    job = await in_thread(service.jobs.get, request.path_params["job"])
    return _events(service, lambda row: row.id == job.id, True)


def _events(service: DeskLike, wanted: Callable[[JobRow], bool], only: bool) -> Response:
    return StreamingResponse(
        _told(service, wanted, only),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _told(
    service: DeskLike, wanted: Callable[[JobRow], bool], only: bool
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[JobRow] = asyncio.Queue()

    def heard(row: JobRow) -> None:
        if wanted(row):
            with contextlib.suppress(RuntimeError):  # the loop ends with the server
                loop.call_soon_threadsafe(waiting.put_nowait, row)

    ended = False
    stop = service.jobs.listen(heard)
    try:
        # Asked again after listening, so that no change falls between the two.
        rows: list[JobRow] = await in_thread(service.jobs.list)
        for row in filter(wanted, rows):
            yield event(row)
            ended = only and row.state in ENDED
        yield b": listening\n\n"
        while not ended:
            try:
                row = await asyncio.wait_for(waiting.get(), BEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            yield event(row)
            ended = only and row.state in ENDED
    finally:
        stop()


async def jam_events(service: DeskLike, request: HttpRequest) -> Response:
    """What a jam's log says, from what is remembered on, until the jam is over."""
    jam = jam_number(request.path_params["jam"])
    await in_thread(service.jams.get, jam)
    return StreamingResponse(
        _jammed(service, jam),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _jammed(service: DeskLike, jam: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes] = asyncio.Queue()

    def heard(number: int, line: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop ends with the server
            loop.call_soon_threadsafe(waiting.put_nowait, line)

    lines, stop = service.jams.follow(jam, heard)
    try:
        yield b"event: past\ndata: [" + b",".join(lines) + b"]\n\n"
        running = service.jams.get(jam).running
        while running:
            try:
                line = await asyncio.wait_for(waiting.get(), BEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            running = bool(line)
            if line:
                yield b"event: step\ndata: " + line + b"\n\n"
        yield b"event: over\ndata: {}\n\n"
    finally:
        stop()


def event(row: JobRow) -> bytes:
    """A job as one server-sent event."""
    return b"event: job\ndata: " + msgspec.json.encode(row) + b"\n\n"


async def job_file(service: DeskLike, request: HttpRequest) -> Response:
    """The file that a job made."""
    row: JobRow = await in_thread(service.jobs.get, request.path_params["job"])
    path = row.result.get("path")
    if row.state != "done" or not path or not Path(path).is_file():
        raise NotFound(f"the job {row.id[:8]} has made no file")
    return FileResponse(
        path,
        media_type=row.result["media_type"],
        filename=row.result["name"],
    )


async def phrase_midi(service: DeskLike, request: HttpRequest) -> Response:
    """A phrase as a MIDI file."""
    phrase = await in_thread(service.phrase, request.path_params["phrase"])
    return midi(phrase, f"musai-{phrase.id[:8]}.mid")


async def phrase_picture(service: DeskLike, request: HttpRequest) -> Response:
    """A phrase as a piano roll."""
    phrase = await in_thread(service.phrase, request.path_params["phrase"])
    rules = {"Content-Security-Policy": picture_policy()}
    picture = await in_thread(lambda: roll_svg(phrase, standalone=True))
    return Response(picture, media_type="image/svg+xml", headers=rules)


async def work_midi(service: DeskLike, request: HttpRequest) -> Response:
    """A work as a MIDI file, from the owner's own desk."""
    corpus, work = request.path_params["corpus"], request.path_params["work"]
    if all(row.name != corpus for row in await in_thread(service.catalogue.corpora)):
        raise NotFound(f"there is no corpus {corpus[:70]!r} here")
    phrase = await in_thread(service.catalogue.phrase, corpus, work)
    return midi(phrase, f"{work[:12]}.mid")


def midi(phrase: Phrase, name: str) -> Response:
    """A phrase as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(phrase.to_midi(), media_type="audio/midi", headers=headers)
