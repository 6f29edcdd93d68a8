"""What may reach an XML parser: one text of bounded size, without entities or types of its own."""

import io
import re
import zipfile

from musai.errors import BadScore

MAX_XML = 64 * 2**20
"""The largest MusicXML text read, in bytes, packed or not."""

MAX_MEMBERS = 1000


def unpacked(data: bytes) -> bytes:
    """The MusicXML text itself: the bytes given, or the root file of an MXL archive."""
    if data[:4] != b"PK\x03\x04":
        if len(data) > MAX_XML:
            raise BadScore(f"the file has {len(data)} bytes; legal is up to {MAX_XML}")
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _root_of(archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as fault:
        raise BadScore(f"the MXL archive cannot be read: {fault}") from fault
    except (RuntimeError, EOFError, OSError, ValueError, zipfile.zlib.error) as fault:  # type: ignore[attr-defined]
        raise BadScore(f"the MXL archive cannot be unpacked: {fault}") from fault


def _root_of(archive: zipfile.ZipFile) -> bytes:
    names = archive.namelist()
    if len(names) > MAX_MEMBERS:
        raise BadScore(f"the MXL archive has {len(names)} members; legal is up to {MAX_MEMBERS}")
    root = ""
    if "META-INF/container.xml" in names:
        container = guarded(_member(archive, "META-INF/container.xml")).decode()
        match = re.search(r'full-path\s*=\s*["\']([^"\']+)["\']', container)
        root = match.group(1) if match else ""
    if root not in names:
        scores = [
            n for n in names if n.lower().endswith((".xml", ".musicxml")) and "META-INF" not in n
        ]
        if not scores:
            raise BadScore("the MXL archive holds no score")
        root = scores[0]
    return _member(archive, root)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """One member, read no further than the limit whatever its header claims."""
    with archive.open(name) as stream:
        data = stream.read(MAX_XML + 1)
    if len(data) > MAX_XML:
        raise BadScore(f"the MXL archive unpacks to more than {MAX_XML} bytes")
    return data


def guarded(data: bytes) -> bytes:
    """The XML as UTF-8 without declaration and document type; refused if that declares anything.

    A document type that only refers to one elsewhere is dropped unread:
    nothing is fetched and nothing is expanded.
    """
    head = _decoded(data).lstrip("\ufeff \t\r\n")
    if "<!ENTITY" in head:
        raise BadScore("the XML declares entities; legal is MusicXML without any")
    doctype = re.search(r"<!DOCTYPE[^>\[]*(\[)?[^>]*>", head)
    if doctype and doctype.group(1):
        raise BadScore("the XML declares a document type of its own; legal is a reference to one")
    body = head[: doctype.start()] + head[doctype.end() :] if doctype else head
    if "<!DOCTYPE" in body:
        raise BadScore("the XML has more than one document type")
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", body).encode("utf-8", "replace")


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    declared = re.match(rb"[^>]{0,200}encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", data[:300])
    try:
        return data.decode(declared.group(1).decode() if declared else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return data.decode("utf-8", "replace")
