"""In what order a reader expects names: case and accents do not count, numbers count as numbers.

The same in every locale, so that a list comes out alike on every machine.
Scripts follow one another as in Unicode; katakana stands with hiragana.
"""

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
    }
)
"""Letters that Unicode does not take apart and readers look for under another."""

_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}

SortKey = tuple[bool, tuple[tuple[int, int, str], ...], str]


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """The text without case, accents and widths: what is looked for in it is found as one types it."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(c for c in spread if not unicodedata.combining(c))
    return bare.translate(_LETTERS).translate(_KATAKANA)


def words(text: str) -> list[str]:
    """The words to look for, folded."""
    return folded(text).split()


@lru_cache(maxsize=65536)
def sort_key(text: str) -> SortKey:
    """By words and numbers; signs do not count; what is empty comes last; the text itself decides ties."""
    parts = tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part)
        for part in re.findall(r"[0-9]{1,18}|[^\W\d_]+", folded(text))
    )
    return (not parts, parts, text)
