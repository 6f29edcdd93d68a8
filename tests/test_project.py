"""Facts about the project itself: what it ships, says and may not say."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from musai import __version__
from musai.cli import TABLE, main
from scripts.constraint_inputs import TORCH

ROOT = Path(__file__).parents[1]
PACKAGES = ("musai", "osc_bridge")


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every text file of ours, committed or about to be, with one of these suffixes (or any)."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = [ROOT / name for name in done.stdout.split("\0") if name]
    binary = {".safetensors", ".png", ".npz", ".npy", ".mid", ".woff2", ".ico"}
    return tuple(
        path
        for path in sorted(listed)
        if path.is_file()
        and path.suffix not in binary
        and (not suffixes or path.suffix in suffixes)
    )


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(text(ROOT / "pyproject.toml"))


def lines_that_say(pattern: str, paths: tuple[Path, ...]) -> list[str]:
    said = re.compile(pattern, re.IGNORECASE)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in paths
        if path != Path(__file__)
        for number, line in enumerate(text(path).splitlines(), 1)
        if said.search(line)
    ]


# ------------------------------------------------------------------ words


def test_nothing_here_accuses_anybody() -> None:
    # Tests of the same rule name the words; the licence and old titles have them from others.
    others = (ROOT / "LICENSE", ROOT / "tests", ROOT / "models")
    paths = tuple(p for p in files() if not any(p.is_relative_to(other) for other in others))
    assert lines_that_say(r"infring|plagiar|stolen\b", paths) == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    pattern = r"/work/|/opt/(pypi|wheels)|/root/|/home/[a-z]+/|pythonhosted|pypi\.org|find-links|index-url"
    paths = tuple(path for path in files() if path.name != "Makefile")
    assert lines_that_say(pattern, paths) == []


def test_the_makefile_keeps_index_addresses_out_of_the_constraints() -> None:
    assert "--no-emit-index-url --no-emit-find-links" in text(ROOT / "Makefile")
    assert not re.search(r"^--|https?://", text(ROOT / "constraints.txt"), re.MULTILINE)


# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize(("place", "limit"), [("tests", 500), ("", 400)])
def test_no_source_file_is_too_long_to_read(place: str, limit: int) -> None:
    sources = files(".py", ".js", ".css", ".html", ".j2")
    sizes = {str(path.relative_to(ROOT)): text(path).count("\n") for path in sources}
    ours = {name: n for name, n in sizes.items() if name.startswith("tests/") == (place == "tests")}
    assert ours
    assert {name: n for name, n in ours.items() if n >= limit} == {}


def test_models_are_data() -> None:
    assert list((ROOT / "models").rglob("*.py")) == []


# ------------------------------------------------------------------ dependencies


def imports(folder: str) -> dict[str, str]:
    """Top-level name -> a file of this package that imports it, wherever in the file."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(text(path))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found.update({name.split(".")[0]: str(path.relative_to(ROOT)) for name in names})
    return found


def declared(*extras: str) -> set[str]:
    project = pyproject()["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {re.split(r"[<>=!~ ;\[]", line)[0].lower().replace("_", "-") for line in lines}


@pytest.mark.parametrize("folder", PACKAGES)
def test_what_a_package_imports_is_declared(folder: str) -> None:
    homes = metadata.packages_distributions()
    wanted = {
        name: path
        for name, path in imports(folder).items()
        if name not in sys.stdlib_module_names and name not in PACKAGES
    }
    known = declared("audio", "daw", "quality")
    missing = {
        name: path
        for name, path in wanted.items()
        if not known & {home.lower().replace("_", "-") for home in homes.get(name, [name])}
    }
    assert missing == {}


def test_the_promised_packages_are_declared() -> None:
    assert {"torch", "numpy", "mido", "pretty-midi", "python-osc"} <= declared()
    assert {"librosa", "torchaudio"} <= declared("audio") - declared()


def test_every_requirement_is_pinned_with_hashes() -> None:
    pins = text(ROOT / "constraints.txt")
    names = {name.lower() for name in re.findall(r"^([\w.-]+)==", pins, re.MULTILINE)}
    names = {name.replace("_", "-") for name in names}
    assert declared("dev") - names == {"torch"}
    blocks = re.findall(r"^[\w.-]+==.*(?:\n +.*)*", pins, re.MULTILINE)
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_one_version_of_torch_is_named_everywhere() -> None:
    assert f"TORCH := {TORCH}\n" in text(ROOT / "Makefile")
    (asked,) = (one for one in pyproject()["project"]["dependencies"] if one.startswith("torch"))
    low, high = re.findall(r"[\d.]+", asked)
    assert TORCH.startswith(f"{low}.")
    assert tuple(map(int, TORCH.split("."))) < tuple(map(int, high.split(".")))


def test_serving_never_imports_torch() -> None:
    code = (
        "import sys\n"
        "import musai.service, musai.transformer, musai.match, musai.report, musai.ledger\n"
        "import musai.web, osc_bridge.server, musai.cli.serve, musai.cli.play\n"
        "from musai.transformer import Player\n"
        "print('torch' in sys.modules, 'music21' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False False", done.stderr


def test_asking_the_server_loads_nothing_that_answers() -> None:
    # Scripts of a DAW run `musai ask` while its window waits.
    code = "import sys, musai.cli.ask; print([m for m in ('musai.service.core', 'musai.match', 'scipy', 'numba') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


# ------------------------------------------------------------------ package


def test_the_installed_package_is_this_one() -> None:
    package = metadata.metadata("musai")
    assert package["Version"] == __version__
    assert package["License-Expression"] == "Apache-2.0"
    assert metadata.distribution("musai").entry_points["musai"].value == "musai.cli:main"


def test_the_licence_is_the_whole_apache_licence() -> None:
    licence = text(ROOT / "LICENSE")
    assert "Version 2.0, January 2004" in licence
    assert "APPENDIX: How to apply the Apache License to your work." in licence
    assert len(licence) == 11358


# ------------------------------------------------------------------ documentation


def commands_in(page: str) -> list[tuple[str, ...]]:
    """(command, its options...) of every line of code that starts with musai."""
    blocks = re.findall(r"```sh\n(.*?)```", text(ROOT / page), re.DOTALL)
    found = []
    for line in "\n".join(blocks).splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["musai"]:
            found.append(tuple(words[1:]))
    return found


@pytest.mark.parametrize("page", ["README.md"])
def test_every_command_in_the_readme_exists_with_its_options(page: str) -> None:
    found = commands_in(page)
    assert len(found) > 5
    for name, *rest in found:
        assert name in TABLE, name
        with main.make_context("musai", [], resilient_parsing=True) as context:
            command = main.get_command(context, name)
        assert command is not None
        while rest and hasattr(command, "commands") and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        known = {option for param in command.params for option in param.opts}
        assert {word for word in rest if word.startswith("--")} <= known, (name, rest)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_in_the_pages_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text(ROOT / "Makefile"), re.MULTILINE))
    wanted = set(re.findall(r"^make ([a-z-]+)", text(ROOT / page), re.MULTILINE))
    assert wanted
    assert wanted <= targets


@pytest.mark.parametrize("page", [path for path in files(".md") if path.parent != ROOT / "models"])
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_generated_pages_are_current() -> None:
    from scripts.make_docs import stale

    assert stale() == []
