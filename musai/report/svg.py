"""SVG as text: elements with everything escaped, numbers short.  No style attributes.

Pictures are coloured by classes alone, so that one style sheet serves light
and dark, screen and paper, and a content security policy without inline
styles.
"""

import re
from html import escape as _escape

Attribute = str | float | int | None


_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PLAIN = re.compile(r"[\w .,:;()/#%+-]*")
"""What stands in most attributes and has nothing to escape."""


def printable(text: str) -> str:
    """The text with a replacement mark for every character that XML and HTML cannot hold."""
    return _CONTROLS.sub("\ufffd", text)


def escape(text: str) -> str:
    """The text fit for element content and for attribute values."""
    return text if _PLAIN.fullmatch(text) else _escape(printable(text))


def element(name: str, *children: str, **attributes: Attribute) -> str:
    """`<name attributes>children</name>`; children are SVG already, attributes are escaped.

    Underscores in attribute names stand for hyphens (`class_` for `class`);
    an attribute that is None is left out.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{_value(value)}"')
    head = " ".join(parts)
    return f"<{head}>{''.join(children)}</{name}>" if children else f"<{head}/>"


def text(content: str, x: float, y: float, class_: str, **attributes: Attribute) -> str:
    """A line of text, escaped."""
    return element("text", escape(content), x=x, y=y, class_=class_, **attributes)


def title(content: str) -> str:
    """The tooltip of the element that holds it, read out by screen readers."""
    return element("title", escape(content))


def description(content: str) -> str:
    """What a screen reader says of the picture after its title."""
    return element("desc", escape(content))


def _value(value: str | float | int) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
