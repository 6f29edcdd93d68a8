"""Write the pages that are made from the code, or with --check say which are not current.

docs/cli.md          from the commands
docs/osc.md          from the table of addresses
docs/structure.svg   from the imports
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from osc_bridge.reference import page as osc_page
from scripts.structure import drawing, first_sentence, layers

ROOT = Path(__file__).parents[1]
_WIDTH = 90


def _commands(
    command: click.Command, name: str, above: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """(full name, help) of a command and all under it."""
    with command.make_context(
        name,
        [],
        above,
        resilient_parsing=True,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
    ) as context:
        yield context.command_path, command.get_help(context)
        if isinstance(command, click.Group):
            for under in command.list_commands(context):
                if found := command.get_command(context, under):
                    yield from _commands(found, under, context)


def cli_page() -> str:
    """docs/cli.md."""
    from musai.cli import main

    parts = [
        "# The command line\n",
        "Made from the commands themselves by `make docs`. Exit codes: 0 success, 2 bad input, "
        "3 nothing found, 1 anything that should not have happened. `--json` prints one JSON value.\n",
    ]
    for name, text in _commands(main, "musai"):
        level = min(name.count(" ") + 2, 3)
        parts.append(f"{'#' * level} {name}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join(parts)


def rooms_page() -> str:
    """docs/rooms.md."""
    parts = [
        "# The rooms, file by file\n",
        "Made from the files' own first sentences by `make docs`; "
        "[architecture.md](architecture.md) says how they hang together.\n",
    ]
    for floor in layers():
        for room in floor:
            path = ROOT / room.replace(".", "/")
            files = sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
            parts.append(f"## {room}\n\n{first_sentence(files[0])}.\n")
            lines = [f"- `{one.name}`: {first_sentence(one)}" for one in files[1:]]
            parts.append("\n".join([*lines, ""]) if lines else "")
    return "\n".join(part for part in parts if part)


PAGES: dict[str, Callable[[], str]] = {
    "docs/cli.md": cli_page,
    "docs/osc.md": osc_page,
    "docs/rooms.md": rooms_page,
    "docs/structure.svg": drawing,
}


def stale() -> list[str]:
    """The pages that differ from what the code says now."""
    return [
        name
        for name, make in PAGES.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def main() -> None:
    """Write all pages, or check them."""
    if "--check" in sys.argv:
        if names := stale():
            sys.exit(f"not current: {', '.join(names)}; run `make docs`")
        print(f"{len(PAGES)} generated pages are current")
        return
    for name, make in PAGES.items():
        (ROOT / name).write_text(make(), encoding="utf-8", newline="\n")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
