"""What an argument may be: numbers and truth values coerced, everything else strict."""

import math

import pytest

from osc_bridge.addresses import TABLE
from osc_bridge.messages import (
    NO_ID,
    Command,
    Fault,
    Message,
    Value,
    Wrong,
    check,
    read,
    shortened,
    usage,
    write,
)
from osc_bridge.rows import Arg

INT = Arg("n", "int", "", 0, 10, "beats")
FLOAT = Arg("x", "float", "", 0, 10)
BOOL = Arg("b", "bool")
TEXT = Arg("s", "string", "", 1, 4, "bytes")
WORD = Arg("w", "string", "", 0, 9, "bytes", ("up", "down"))
BLOB = Arg("d", "blob")
ID = Arg("id", "id")


@pytest.mark.parametrize(
    ("arg", "given", "taken"),
    [
        (INT, 3, 3),
        (INT, 3.0, 3),
        (FLOAT, 3, 3.0),
        (FLOAT, 2.5, 2.5),
        (BOOL, True, True),
        (BOOL, 0, False),
        (BOOL, 1.0, True),
        (TEXT, "äb", "äb"),
        (WORD, "up", "up"),
        (BLOB, b"x", b"x"),
        (ID, 3.0, 3),
        (ID, "x", "x"),
        (Arg("v", "value"), None, None),
    ],
)
def test_a_legal_value_is_taken_as_its_kind(arg: Arg, given: Value, taken: Value) -> None:
    assert check(arg, given) == taken
    assert type(check(arg, given)) is type(taken)


@pytest.mark.parametrize(
    ("arg", "given", "code", "words"),
    [
        (INT, 2.5, "bad_type", "n is 2.5; legal is an int"),
        (INT, True, "bad_type", "n is T; legal is an int"),
        (INT, False, "bad_type", "n is F; legal is an int"),
        (INT, "3", "bad_type", "n is the string '3'; legal is an int"),
        (INT, None, "bad_type", "n is nil; legal is an int"),
        (INT, b"3", "bad_type", "n is a blob; legal is an int"),
        (INT, 11, "bad_value", "n is 11; legal is 0 to 10 beats"),
        (INT, -1, "bad_value", "n is -1; legal is 0 to 10 beats"),
        (FLOAT, True, "bad_type", "x is T; legal is a float"),
        (FLOAT, "1", "bad_type", "x is the string '1'; legal is a float"),
        (FLOAT, math.nan, "bad_value", "x is nan; legal is a finite number"),
        (FLOAT, 10.5, "bad_value", "x is 10.5; legal is 0 to 10"),
        (BOOL, 2, "bad_type", "b is the number 2; legal is T, F, 0 or 1"),
        (BOOL, "1", "bad_type", "b is the string '1'; legal is T, F, 0 or 1"),
        (TEXT, "", "bad_value", "s has 0 bytes; legal is 1 to 4"),
        (TEXT, "äää", "bad_value", "s has 6 bytes; legal is 1 to 4"),
        (TEXT, 1, "bad_type", "s is the number 1; legal is a string"),
        (WORD, "left", "bad_value", "w is 'left'; legal is up, down"),
        (BLOB, "x", "bad_type", "d is the string 'x'; legal is a blob"),
        (BLOB, b"", "bad_value", "d is empty; legal is at least one byte"),
        (ID, "", "bad_value", "id has 0 bytes; legal is 1 to 64"),
        (ID, "x" * 65, "bad_value", "id has 65 bytes; legal is 1 to 64"),
        (ID, 2.5, "bad_type", "id is 2.5; legal is an int or a string"),
        (ID, 2**31, "bad_value", "id is 2147483648; legal is an int of 32 bits"),
    ],
)
def test_an_illegal_value_is_named_with_what_is_legal(
    arg: Arg, given: Value, code: str, words: str
) -> None:
    with pytest.raises(Wrong) as caught:
        check(arg, given)
    assert (caught.value.code, str(caught.value)) == (code, words)


@pytest.mark.parametrize(
    ("message", "code", "id"),
    [
        (Message("/musai/nothing", (4,)), "unknown_address", 4),
        (Message("/nothing"), "unknown_address", NO_ID),
        (Message("/musai/bye"), "bad_count", NO_ID),
        (Message("/musai/bye", (1, 2)), "bad_count", 1),
        (Message("/musai/bye", (None,)), "bad_type", NO_ID),
        (Message("/musai/keep", ("a",)), "bad_count", "a"),
        (Message("/musai/hello", (1, 1, 0, "x", 0, "", 0)), "bad_count", 1),
        (Message("/musai/set", (1,)), "bad_count", 1),
        (Message("/musai/set", (1, "bars")), "bad_count", 1),
        (Message("/musai/set", (1, "size", 2)), "bad_value", 1),
        (Message("/musai/context", (1, 1, 1, "", 0, 1, 60, 80)), "bad_count", 1),
        (Message("/musai/context", (1, 1, 1, "", 0, 1, 128, 80, 0)), "bad_value", 1),
    ],
)
def test_a_message_that_no_row_allows_is_a_fault_with_its_id(
    message: Message, code: str, id: object
) -> None:
    fault = read(message)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.path, fault.id) == (code, message.path, id)


def test_arguments_left_out_take_their_defaults() -> None:
    command = read(Message("/musai/hello", (5,)))
    assert isinstance(command, Command)
    assert command.args == {
        "id": 5, "protocol": 1, "reply_port": 0, "name": "", "short": False, "token": "",
    }  # fmt: skip


def test_repeating_arguments_come_as_groups() -> None:
    command = read(Message("/musai/set", (5, "bars", 4, "key", "Am")))
    assert isinstance(command, Command)
    assert command.rest == (("bars", 4), ("key", "Am"))


def test_usage_shows_what_may_be_left_out_and_what_repeats() -> None:
    assert usage(TABLE["/musai/resend"]) == "id take [first] [end]"
    assert usage(TABLE["/musai/set"]) == "id (name value)+"
    assert usage(TABLE["/musai/generate"]) == "id (name value)*"


def test_what_is_sent_is_checked_and_long_texts_are_cut() -> None:
    message = write("/musai/error", 1, "busy", "x" * 400, "/musai/set", 0)
    assert len(str(message.args[2]).encode()) == 300
    with pytest.raises(Wrong):
        write("/musai/error", 1, "busy")
    with pytest.raises(Wrong):
        write("/musai/heartbeat", 1, 0, math.nan)
    assert write("/musai/clock", 1, 0, 0.0, 0.0, True).args[-1] == 1


@pytest.mark.parametrize(
    ("words", "most", "cut"),
    [("abc", 3, "abc"), ("abcd", 3, "…"), ("äbcdef", 6, "äb…"), ("äöü", 5, "ä…"), ("abc", 2, ""),
     ("a\0b", 3, "a b"), ("\ud800x", 9, "?x")],
)  # fmt: skip
def test_a_text_is_cut_between_characters(words: str, most: int, cut: str) -> None:
    assert shortened(words, most) == cut
    assert len(shortened(words, most).encode()) <= most
