"""The table of the API as an OpenAPI document, and as a page to read."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

import musai
from musai.web.api import HEX, Endpoint
from musai.web.api_shapes import Hex, Nothing
from musai.web.problems import MEDIA_TYPE, Problem

_REF = "#/components/schemas/{name}"
ABOUT = (
    "The console's own interface, on this machine alone. Long work answers 202 with a job, whose "
    "progress is told at /api/jobs/{job}/events; the same content sent again is the same job. "
    "Errors are problem details (RFC 9457)."
)


def document(table: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a table."""
    kinds = [Problem, *(k for row in table for k in (row.query, row.body, row.answer) if _typed(k))]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    schema_of = dict(zip(map(_key, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for row in table:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schema_of, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "musai",
            "version": musai.__version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _typed(kind: Any) -> bool:
    return kind is not None and not isinstance(kind, str)


def _key(kind: Any) -> str:
    return repr(kind)


def _operation(row: Endpoint, schema_of: dict[str, Any], components: dict[str, Any]) -> Any:
    operation: dict[str, Any] = {
        "operationId": row.name,
        "summary": row.summary,
        "parameters": [*_path_parameters(row.path), *_query_parameters(row, schema_of, components)],
        "responses": {
            str(row.status): _answer(row, schema_of),
            **{str(status): _problem(status, schema_of) for status in _errors(row)},
        },
    }
    if row.takes_files:
        operation["requestBody"] = {
            "required": True,
            "content": {"multipart/form-data": _form(row)},
        }
    elif row.body is not None:
        content = {"application/json": {"schema": schema_of[_key(row.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _errors(row: Endpoint) -> list[int]:
    """What else a row may answer."""
    more = {403, 413, 415, 507} if row.body is not None or row.takes_files else set()
    return sorted({422, 500, 503, *row.errors, *more})


def _path_parameters(path: str) -> list[dict[str, Any]]:
    hex_schema = msgspec.json.schema(Hex)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": hex_schema
            if name in HEX
            else {"type": "string", "minLength": 1, "maxLength": 200},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(
    row: Endpoint, schema_of: dict[str, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    if row.query is Nothing:
        return []
    name = schema_of[_key(row.query)]["$ref"].rsplit("/", 1)[1]
    return [
        {"name": key, "in": "query", "required": False, "schema": schema}
        for key, schema in components[name]["properties"].items()
    ]


def _answer(row: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    said = HTTPStatus(row.status).phrase
    if isinstance(row.answer, str):
        return {"description": said, "content": {row.answer: {"schema": {}}}}
    content = {"application/json": {"schema": schema_of[_key(row.answer)]}}
    return {"description": said, "content": content}


def _problem(status: int, schema_of: dict[str, Any]) -> dict[str, Any]:
    schema = schema_of[_key(Problem)]
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _form(row: Endpoint) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "files": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "minItems": 1,
        },
        **{name: {"type": "string", "maxLength": 200} for name in row.files},
    }
    return {"schema": {"type": "object", "properties": properties, "required": ["files"]}}
