import json
from pathlib import Path

import jsonschema
import pytest

from musai.errors import BadInput
from musai.report import (
    build_report,
    from_json,
    from_plain,
    render_html,
    save_report,
    to_json,
    to_plain,
)
from musai.report.plain import make_schema, schema_text
from musai.report.scores import phrase_of
from tests.report.fixtures import QUOTE, full_report


def test_the_published_schema_is_that_of_the_records():
    assert json.loads(schema_text()) == make_schema(), (
        "a record changed: run publish_schema(Path('musai/report/schema')) from musai.report.plain"
    )


def test_a_report_fits_the_published_schema():
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for report in (full_report(), build_report(QUOTE, when="2026-11-20T00:00:00Z")):
        validator.validate(json.loads(to_json(report)))


def test_the_schema_refuses_what_is_no_report():
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    good = to_plain(full_report())
    assert validator.is_valid(json.loads(json.dumps(good)))
    for name, value in (("verdict", None), ("schema", "musai-report-0"), ("extra", 1)):
        assert not validator.is_valid(json.loads(json.dumps({**good, name: value})))


def test_a_report_comes_back_from_json_and_from_plain_values():
    report = full_report()
    assert from_json(to_json(report)) == report
    assert from_plain(json.loads(json.dumps(to_plain(report)))) == report
    assert report.subject.score is not None
    assert phrase_of(report.subject.score) == QUOTE


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[1,2]", b'{"schema": "other"}'])
def test_what_is_no_report_is_refused_by_name(data):
    with pytest.raises(BadInput, match="musai-report-1"):
        from_json(data)


def test_files_are_written_whole_and_replaced(tmp_path: Path):
    folder = tmp_path / "out" / "demo"
    save_report(full_report(name="first"), folder)
    data, page = save_report(full_report(name="second"), folder)
    assert from_json(data.read_bytes()).title == "second"
    assert "second" in page.read_text("utf-8")
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "report.json"]


NEW = {"chance", "spread", "common", "style", "phrase_key", "work_key", "offset", "signature"}


def without(values, names):
    if isinstance(values, dict):
        return {key: without(value, names) for key, value in values.items() if key not in names}
    return [without(value, names) for value in values] if isinstance(values, list) else values


def test_a_report_that_was_stored_before_there_were_staves_is_still_shown():
    old = from_json(json.dumps(without(json.loads(to_json(full_report())), NEW)).encode())
    page = render_html(old)
    assert "recorded without keys" in page
    assert 'class="roll"' in page
