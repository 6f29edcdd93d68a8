"""TRAK by its authors' package (traker 0.3.2), on the same model and the same works.

It is installed beside the checkout's own environment, under .clean/, with nothing that it depends on:
torch, numpy and tqdm are there.  Where it cannot be had the table is printed without it.
"""

import importlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musai.influence.gradients import Query
from musai.transformer.network import Network

VERSION = "0.3.2"
PLACE = Path(".clean/trak")
DIMENSIONS = 512
"""Of the random projection; more than the works to fit would only be regularised away."""


def trak_scores(
    network: Network, works: Sequence[Sequence[Query]], asked: Sequence[Sequence[Query]], seed: int
) -> np.ndarray | None:
    """TRAK's scores of one model, (queries, works); None where the package cannot be had."""
    package = _package()
    if package is None:
        return None
    kinds = importlib.import_module("trak.modelout_functions")
    gradients = importlib.import_module("trak.gradient_computers")
    held = [*works, *asked]

    class Outcome(kinds.AbstractModelOutput):  # type: ignore[misc, name-defined]
        """The log-probability of a work or query, by its number."""

        def __init__(self) -> None:
            pass

        def get_output(self, model: Network, weights: Any, buffers: Any, number: Any) -> Any:
            """One value an item."""
            return torch.stack(
                [-sum(model.field_losses(*window).sum() for window in held[int(n)]) for n in number]
            )

        def get_out_to_loss_grad(self, model: Any, weights: Any, buffers: Any, batch: Any) -> Any:
            """The loss is the negative of the output."""
            return torch.ones(len(batch[0]), 1)

    with tempfile.TemporaryDirectory() as folder:
        trak = package.TRAKer(
            model=network,
            task=Outcome(),
            train_set_size=len(works),
            save_dir=folder,
            device="cpu",
            gradient_computer=gradients.IterativeGradientComputer,
            proj_dim=DIMENSIONS,
            projector_seed=seed,
            use_half_precision=False,
            logging_level=40,
        )
        state = network.state_dict()
        trak.load_checkpoint(state, model_id=0)
        for number in range(len(works)):
            trak.featurize(batch=[torch.tensor([number])], num_samples=1)
        trak.finalize_features()
        trak.start_scoring_checkpoint("asked", state, model_id=0, num_targets=len(asked))
        for number in range(len(asked)):
            trak.score(batch=[torch.tensor([len(works) + number])], num_samples=1)
        found = np.array(trak.finalize_scores("asked"), np.float64)
    return found.T


def _package() -> Any:
    sys.path.insert(0, str(PLACE))
    try:
        return importlib.import_module("trak")
    except ImportError:
        pass
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(PLACE)]
    try:
        subprocess.run([*command, f"traker=={VERSION}", "tqdm"], check=True, timeout=300)
        importlib.invalidate_caches()
        return importlib.import_module("trak")
    except (subprocess.SubprocessError, OSError, ImportError) as fault:
        print(f"traker {VERSION} cannot be had here: {fault}", file=sys.stderr)
        return None
