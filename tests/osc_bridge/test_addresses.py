"""The table is the truth: everything that knows addresses agrees with it."""

from dataclasses import fields

import pytest

from musai.transformer.controls import MODES, RANGES
from musai.transformer.request import Request
from osc_bridge import reference
from osc_bridge.addresses import PARAMETERS, STATE, TABLE
from osc_bridge.codec import encode
from osc_bridge.errors import CODES
from osc_bridge.limits import Limits
from osc_bridge.messages import Message, usage
from osc_bridge.rows import INT32, Arg
from osc_bridge.session import HANDLERS

IN = [row for row in TABLE.values() if row.way == "in"]
OUT = [row for row in TABLE.values() if row.way == "out"]


def longest(arg: Arg) -> int | float | str | bytes:
    match arg.kind:
        case "int" | "bool":
            return INT32
        case "float":
            return 1.0
        case "blob":
            return b"x" * 1200
        case "value":
            return "9" * 64
    return "x" * int(arg.high or 0)


def test_every_command_has_a_handler_and_every_handler_a_row() -> None:
    assert set(HANDLERS) == {row.path for row in IN}


def test_every_reply_that_a_command_names_is_something_musai_sends() -> None:
    for row in IN:
        assert row.replies, row.path
        assert {TABLE[reply].way for reply in row.replies} == {"out"}


def test_addresses_are_lower_case_under_one_root() -> None:
    for path in TABLE:
        assert path.startswith("/musai/")
        assert path == path.lower()


def test_every_command_and_every_reply_to_one_begins_with_an_id() -> None:
    without = {"/musai/withheld", "/musai/goodbye"}
    for row in TABLE.values():
        assert (row.args[0].kind == "id" and not row.args[0].optional) or row.path in without


def test_optional_arguments_come_last_and_never_before_a_repeating_group() -> None:
    for row in TABLE.values():
        optional = [arg.optional for arg in row.args]
        assert optional == sorted(optional), row.path
        assert not (row.rest and any(optional)), row.path


def test_every_argument_says_what_it_means() -> None:
    assert [
        (row.path, arg.name)
        for row in TABLE.values()
        for arg in (*row.args, *row.rest)
        if not arg.doc
    ] == []


def test_parameters_are_the_fields_of_a_request() -> None:
    assert set(PARAMETERS) == {field.name for field in fields(Request)} - {"mode", "context"}
    for name, bounds in RANGES.items():
        arg = PARAMETERS[name]
        assert (arg.low, arg.high, arg.unit) == bounds


def test_every_mode_is_a_command() -> None:
    assert {f"/musai/{mode}" for mode in MODES} <= set(TABLE)


@pytest.mark.parametrize("row", OUT, ids=lambda row: row.path)
def test_what_musai_sends_fits_a_datagram(row: object) -> None:
    args = [longest(arg) for arg in row.args]  # type: ignore[attr-defined]
    rest = [longest(arg) for arg in row.rest] * row.least  # type: ignore[attr-defined]
    message = Message(row.path, (*args, *rest))  # type: ignore[attr-defined]
    assert len(encode(message)) <= Limits().datagram


def test_the_reference_has_every_address_and_no_other() -> None:
    text = reference.PATH.read_text(encoding="utf-8")
    headings = [line[5:-1] for line in text.splitlines() if line.startswith("### `")]
    assert headings == [row.path for row in (*IN, *OUT)]
    for row in TABLE.values():
        assert f"    {row.path} {usage(row)}\n" in text


def test_the_reference_has_every_parameter_code_limit_and_state_name() -> None:
    text = reference.PATH.read_text(encoding="utf-8")
    for name in (*PARAMETERS, *CODES, *STATE, *(name for name, _ in Limits().told("udp"))):
        assert f"| `{name}` |" in text, name


def test_the_reference_is_up_to_date() -> None:
    assert reference.main(["--check"]) == 0, "run: python -m osc_bridge.reference"


def test_the_check_tells_an_old_reference(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "docs" / "osc.md"  # type: ignore[operator]
    monkeypatch.setattr(reference, "PATH", path)
    assert reference.main(["--check"]) == 1
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    path.write_text(path.read_text() + "### `/musai/other`\n")
    assert reference.main(["--check"]) == 1
