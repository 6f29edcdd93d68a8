"""What `make constraints` pins: pyproject's requirements but torch and torchaudio; what torch needs is named here.

torch is not pinned by hash: its file differs from place to place (a CPU build, one
of several CUDA builds with gigabytes of libraries), so a hash that is right here
is wrong there.  `make setup` installs it in a step of its own, by version.
"""

import sys
import tomllib
from pathlib import Path

TORCH = "2.13.0"
TORCH_NEEDS = (
    "filelock",
    "fsspec>=0.8.5",
    "jinja2",
    "networkx>=2.5.1",
    "setuptools>=77.0.3",
    "sympy>=1.13.3",
    "typing-extensions>=4.10.0",
)


def inputs(extras: list[str], *, core: bool) -> list[str]:
    """Requirement lines for the core (or not) and these extras."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *TORCH_NEEDS] if core else []
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return sorted(line for line in lines if not line.startswith(("torch>", "torch=", "torchaudio")))


if __name__ == "__main__":
    core = "--core" in sys.argv
    print("\n".join(inputs([name for name in sys.argv[1:] if name != "--core"], core=core)))
