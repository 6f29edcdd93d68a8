"""Report <-> plain values, JSON, schema and files."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from musai.errors import BadInput
from musai.files import write_whole
from musai.report.html import render_html
from musai.report.records import VERSION, Report

SCHEMA_FILE = "report.schema.json"


def to_plain(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(report)
    return plain


def from_plain(values: dict[str, Any]) -> Report:
    """The inverse of `to_plain`.  Raises `BadInput` naming the field that does not fit."""
    try:
        return msgspec.convert(values, Report)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(f"not a {VERSION} report: {error}") from None


def to_json(report: Report) -> bytes:
    """The report as JSON in UTF-8, without superfluous space."""
    return msgspec.json.encode(report)


def from_json(data: bytes) -> Report:
    """The inverse of `to_json`.  Raises `BadInput`."""
    try:
        return msgspec.json.decode(data, type=Report)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not a {VERSION} report: {error}") from None


def make_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a report, derived from the records."""
    # Through JSON once, so that defaults that are tuples compare as the lists they are in the file.
    schema: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(Report)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:musai:{VERSION}",
        "title": "musai similarity report",
        "description": "One phrase compared with one corpus. Ticks are 480 a quarter note; "
        "pitches are MIDI numbers; bars and beats count from 1.",
        **schema,
    }


@cache
def schema_text() -> str:
    """The published schema, as it ships in the package."""
    return (files("musai.report") / "schema" / SCHEMA_FILE).read_text("utf-8")


def publish_schema(folder: Path) -> list[Path]:
    """Write the schemas of today's records; run when a record changes."""
    from musai.report import exports

    schemas = {SCHEMA_FILE: make_schema(), exports.SCHEMA_FILE: exports.make_schema()}
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        write_whole(folder / name, text.encode())
    return [folder / name for name in schemas]


def save_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into `folder`, made where missing; both paths."""
    page, data = render_html(report).encode(), to_json(report)
    paths = folder / "report.json", folder / "report.html"
    for path, content in zip(paths, (data, page), strict=True):
        write_whole(path, content)
    return paths
