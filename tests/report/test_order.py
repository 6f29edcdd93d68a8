"""Names stand in the order that a reader expects, on every machine."""

import pytest

from musai.report.order import folded, sort_key, words


@pytest.mark.parametrize(
    "names",
    [
        ["Äpfel", "Apfelbaum", "Birne"],
        ["an die Musik", "An die Nachtigall", "ander"],
        ["No. 2", "No. 10", "No. 100"],
        ["Œuvre", "Ofen"],
        ["Ødegård", "Odessa"],
        ["Strasse", "Straße", "Strauss"],
        ["“Zu spät”", "Zucker"],
        ["Lied", "さくら", "荒城の月"],
        ["あ", "カ", "さ"],
        ["Lied", "يا ليل"],
        ["a", "", "?"],
    ],
)
def test_case_accents_numbers_signs_and_scripts(names: list[str]) -> None:
    assert sorted(set(names), key=sort_key) == names


def test_letters_that_are_the_same_to_a_reader_differ_only_where_all_else_is_equal() -> None:
    assert folded("Straße") == folded("Strasse")
    assert sorted(["Straße 2", "Strasse 1", "Straße 1"], key=sort_key) == [
        "Strasse 1",
        "Straße 1",
        "Straße 2",
    ]


def test_what_is_typed_without_accents_is_found() -> None:
    assert words("  MULLER  nacht ") == ["muller", "nacht"]
    assert "muller" in folded("Die schöne Müllerin: Müller")
    assert folded("ﾊﾞｯﾊ") == folded("バッハ")
    assert folded("أغنية") == folded("اغنية")
