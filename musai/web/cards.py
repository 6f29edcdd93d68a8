"""A model's card -> a page: Markdown without any HTML of its own."""

from functools import cache

from markdown_it import MarkdownIt


def card_html(text: str) -> str:
    """The card as HTML, its headings one level down since the page has its own.

    Tags in it are shown as text, pictures are left out, links go nowhere odd.
    """
    reader = _reader()
    tokens = reader.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return str(reader.renderer.render(tokens, reader.options, {}))


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
