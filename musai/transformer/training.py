"""Deterministic training: same recipe, corpus, build and thread count, same weights, bit for bit.

Nothing random outlives a step: the order of batches and the wishes left
untold come from counters, so a run that was killed and resumed from its
checkpoint walks the very path of one that was not.  Run it through
`musai train`, which sets `recipe.ENVIRONMENT` before torch is loaded.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from musai.transformer import data
from musai.transformer.checkpoint import start_of
from musai.transformer.muon import Muon
from musai.transformer.network import Drop, Network, dropout, keep
from musai.transformer.recipe import Recipe, Schedule

Progress = Callable[[dict[str, float]], None]


def prepare(recipe: Recipe, device: str = "cpu") -> None:
    """Fix what torch decides for the whole process: threads and deterministic kernels."""
    torch.set_num_threads(recipe.schedule.threads)
    torch.use_deterministic_algorithms(True)
    if device != "cpu":  # pragma: no cover
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def rate_at(schedule: Schedule, step: int) -> float:
    """Learning rate of one step, counted from 0."""
    if step < schedule.warmup:
        return schedule.rate * (step + 1) / schedule.warmup
    gone = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return schedule.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, gone)))


def optimizer_of(network: Network, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW that decays matrices of the layers and heads, not embeddings; with Muon, see `muon`."""
    groups: dict[Kind, list[Tensor]] = {}
    for name, weight in network.table.items():
        groups.setdefault(kind_of(name, schedule), []).append(weight)
    return Muon(
        [
            {
                "params": weights,
                "weight_decay": 0.0 if kind == "free" else schedule.decay,
                "orthogonal": kind == "turned",
            }
            for kind, weights in groups.items()
        ],
        lr=schedule.rate,
        betas=(schedule.beta1, schedule.beta2),
        eps=schedule.epsilon,
    )


Kind = Literal["turned", "decayed", "free"]


def kind_of(name: str, schedule: Schedule) -> Kind:
    """How a weight moves: by Muon, by AdamW, or by AdamW without decay."""
    if "embed" in name or "said" in name:
        return "free"
    hidden = name.startswith("layer") or name.endswith("mix")
    return "turned" if hidden and schedule.optimizer == "muon" else "decayed"


def drop_of(schedule: Schedule, step: int) -> Drop:
    """The dropout of one step: its masks depend on the seed and the step alone."""
    if schedule.dropout == 0:
        return keep
    return dropout(schedule.dropout, data.generator(schedule.seed, "dropout", step))


def steps_of(
    recipe: Recipe, pieces: Sequence[data.Piece], start: int
) -> Iterator[tuple[int, Tensor, Tensor, list[str]]]:
    """(step, rows, targets, ids of the batch's works) from `start` on, epoch after epoch."""
    schedule, window = recipe.schedule, recipe.shape.window
    step, epoch = 0, 0
    while step < schedule.steps:
        samples = data.plan_epoch(
            pieces, recipe.weights, window, schedule.seed, epoch, recipe.given
        )
        parts = [data.rows_of(sample, pieces[sample.piece], window) for sample in samples]
        lengths = np.array([len(rows) for rows, _ in parts])
        for group in data.batches(samples, lengths, schedule.rows_per_batch, schedule.seed, epoch):
            if step >= schedule.steps:
                return
            if step >= start:
                rng = data.generator(schedule.seed, "dim", step)
                dimmed = [(data.dim(parts[i][0], rng), parts[i][1]) for i in group]
                rows, targets = data.padded(dimmed)
                ids = [pieces[samples[i].piece].work_id for i in group]
                yield step, torch.from_numpy(rows), torch.from_numpy(targets), ids
            step += 1
        epoch += 1


def train(
    recipe: Recipe,
    pieces: Sequence[data.Piece],
    folder: Path,
    *,
    device: str = "cpu",
    every: int = 200,
    progress: Progress | None = None,
    emphasis: Mapping[str, float] | None = None,
    until: int | None = None,
    network: Network | None = None,
) -> Network:
    """Train to the end of the recipe's schedule, resuming from `folder` when it holds a checkpoint.

    A checkpoint is written each `every` steps and replaces the former at once.  `emphasis` weighs
    the loss of works by id, 1 where not named; 0 takes a work out and leaves every batch as it
    was, so that two models differ by that work and by nothing else.  `until` ends the run after so
    many steps of the schedule, with a checkpoint.  `network`: another one than the recipe's beginning.
    """
    prepare(recipe, device)
    schedule = recipe.schedule
    network = (network or beginning(recipe)).to(device)
    optimizer = optimizer_of(network, schedule)
    start = resume(folder, recipe, network, optimizer)
    last = schedule.steps if until is None else min(until, schedule.steps)
    if start >= last:
        return network
    for step, rows, targets, ids in steps_of(recipe, pieces, start):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(schedule, step)
        drop = drop_of(schedule, step)
        losses = network.field_losses(rows.to(device), targets.to(device), drop)
        asked = int((targets[..., 0] >= 0).sum())
        if emphasis is not None:
            weights = torch.tensor([emphasis.get(work_id, 1.0) for work_id in ids], device=device)
            losses = losses * weights[None, :, None]
        loss = losses.sum() / max(1, asked)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        size = torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        optimizer.step()
        done = step + 1
        if progress and (done % 20 == 0 or done == last):
            progress(
                {"step": done, "steps": schedule.steps, "nats": loss.item(), "norm": size.item()}
            )
        if done % every == 0 or done == last:
            checkpoint(folder, recipe, network, optimizer, done)
        if done == last:
            break
    return network


def beginning(recipe: Recipe) -> Network:
    """The network before the first step: fresh, or with the weights of the recipe's `start`."""
    network = Network.fresh(recipe.shape, recipe.schedule.seed)
    model = start_of(recipe)
    if model is not None:
        for name, weight in model.weights.items():
            network.weight(name).data.copy_(torch.from_numpy(np.array(weight)))
    return network


def checkpoint(
    folder: Path, recipe: Recipe, network: Network, optimizer: torch.optim.AdamW, step: int
) -> None:
    """Write weights and moments so that `resume` goes on as if nothing had happened."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, weight in network.table.items():
        tensors[f"weight/{name}"] = weight.detach()
        for key, value in optimizer.state[weight].items():
            tensors[f"{key}/{name}"] = value
    meta = {"step": str(step), "recipe": json.dumps(asdict(recipe), sort_keys=True)}
    beside = folder / "checkpoint.tmp"
    save_file({k: t.contiguous().cpu() for k, t in tensors.items()}, beside, meta)
    beside.replace(folder / "checkpoint.safetensors")


def resume(folder: Path, recipe: Recipe, network: Network, optimizer: torch.optim.AdamW) -> int:
    """Load the checkpoint of this very recipe, if there is one; the number of steps done."""
    from safetensors import safe_open

    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        meta = file.metadata()
    if meta["recipe"] != json.dumps(asdict(recipe), sort_keys=True):
        return 0
    step = int(meta["step"])
    tensors = load_file(path)
    for name, weight in network.table.items():
        weight.data.copy_(tensors.pop(f"weight/{name}"))
    for path_of, tensor in tensors.items():
        key, name = path_of.split("/", 1)
        # AdamW counts its steps on the processor.
        weight = network.table[name]
        optimizer.state[weight][key] = tensor if key == "step" else tensor.to(weight.device)
    return step


@torch.no_grad()
def evaluate(
    network: Network, pieces: Sequence[data.Piece], rows_per_batch: int = 8192
) -> dict[str, float]:
    """Bits a note, whole and by field, on works told everything; windows do not overlap.

    Bar lines count among the position's bits; the sum is over everything that is asked,
    divided by the number of notes.
    """
    window = network.shape.window
    parts = [
        data.rows_of(sample, piece, window)
        for index, piece in enumerate(pieces)
        for sample in data.cut(piece, index, window, None)
    ]
    parts.sort(key=lambda part: len(part[0]))
    total, notes = np.zeros(network.shape.fields), 0
    while parts:
        group = [parts.pop()]
        while parts and (len(group) + 1) * len(group[0][0]) <= rows_per_batch:
            group.append(parts.pop())
        rows, targets = (torch.from_numpy(a) for a in data.padded(group))
        losses = network.field_losses(rows, targets).double().sum((1, 2)).numpy()
        total += losses
        notes += int((targets[..., 2] >= 0).sum())
    bits = total / math.log(2) / max(1, notes)
    return {
        # Velocity and nudge stand apart: the sum is over what every model and the baseline say.
        "bits_per_note": float(bits[:4].sum()),
        **dict(zip(network.shape.outputs, bits.tolist(), strict=True)),
    }
