"""Say what is in the wheel and the sdist, and fail where the model or the licence is missing."""

import sys
import tarfile
import zipfile
from pathlib import Path

MODELS = ("tunebook", "studio")
MODEL = (
    "recipe.toml",
    "weights.safetensors",
    "card.md",
    "works.csv",
    "fingerprints.bin",
    "SHA256SUMS",
)
MUST = (
    "musai/cli/__init__.py",
    "osc_bridge/__init__.py",
    "osc_bridge/clients/musai.pd",
    "osc_bridge/clients/musai_ardour.lua",
    "osc_bridge/clients/musai_reaper.lua",
    "osc_bridge/clients/ardour.md",
    "osc_bridge/clients/ardour.png",
    "osc_bridge/clients/midi.md",
    "osc_bridge/clients/midi.svg",
    "osc_bridge/clients/pd.md",
    "osc_bridge/clients/pd.png",
    "osc_bridge/clients/reaper.md",
    "osc_bridge/clients/reaper.svg",
    "LICENSE",
    "METADATA",
    "entry_points.txt",
)


def main(folder: Path) -> str:
    """The last line to print.  Exits with the names of what is missing or does not belong."""
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    with tarfile.open(sdist) as tar:
        source = tar.getnames()
    missing = [name for name in MUST if not any(one.endswith(name) for one in inside)]
    for file in (f"{model}/{name}" for model in MODELS for name in MODEL):
        if f"musai/_models/{file}" not in inside:
            missing.append(file)
        if not any(one.endswith(f"/models/{file}") for one in source):
            missing.append(f"{file} (sdist)")
    foreign = {name.split("/")[0] for name in inside} - {"musai", "osc_bridge"}
    foreign = {name for name in foreign if not name.endswith(".dist-info")}
    if missing or foreign:
        sys.exit(f"missing: {missing}; does not belong: {sorted(foreign)}")
    sizes = f"{wheel.stat().st_size / 2**20:.1f} MB, sdist {sdist.stat().st_size / 2**20:.1f} MB"
    return f"wheel: {len(inside)} files, {sizes}; both models are in both"


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
