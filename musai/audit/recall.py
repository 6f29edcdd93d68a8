"""How probable a model makes the true continuation of windows: raw, and under the sampler that plays.

Batched and teacher-forced, in float32 through the reference network.  Under the sampler a choice
outside the nucleus has probability 0: the continuation cannot be drawn, whatever the seed.  Of the grammar
the rules are applied that hold for every request: time runs forwards, bars keep their length, voices are
those of the piece; a request's own limits could only add to this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from musai.audit.windows import LEAST, MOST, Window, legal_positions
from musai.transformer import vocabulary as v
from musai.transformer.controls import TEMPERATURE, TOP_P
from musai.transformer.network import Network

Floats = NDArray[np.float64]

ROWS = 6144
"""Rows of a batch."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Natural logarithms of probabilities of a window's first `LEAST` events and of all of them.

    `raw` of the model itself, `drawn` under the sampler (-inf where it cannot be drawn).
    """

    raw: float
    raw_long: float
    drawn: float
    drawn_long: float
    events: int


def batches(held: Sequence[Window]) -> Iterator[list[int]]:
    """Numbers of windows of about one length, so many that a batch has `ROWS` rows."""
    order = sorted(range(len(held)), key=lambda i: len(held[i].rows))
    group: list[int] = []
    for i in order:
        if group and (len(group) + 1) * len(held[i].rows) > ROWS:
            yield group
            group = []
        group.append(i)
    if group:
        yield group


@torch.no_grad()
def recalled(
    network: Network,
    held: Sequence[Window],
    temperature: float = TEMPERATURE,
    top_p: float = TOP_P,
) -> list[Recall]:
    """What the model makes of each window."""
    out: list[Recall | None] = [None] * len(held)
    for group in batches(held):
        parts = [held[i] for i in group]
        raw, drawn = _scored(network, parts, temperature, top_p)
        for i, window, a, b in zip(group, parts, raw, drawn, strict=True):
            count = len(window.rows) - window.asked
            out[i] = Recall(
                float(a[:LEAST].sum()),
                float(a[:count].sum()),
                float(b[:LEAST].sum()),
                float(b[:count].sum()),
                count,
            )
    return [one for one in out if one is not None]


def _scored(
    network: Network, parts: Sequence[Window], temperature: float, top_p: float
) -> tuple[Floats, Floats]:
    """Log-probabilities of the events asked for, (windows, MOST), 0 behind the end."""
    longest = max(len(window.rows) for window in parts)
    rows = np.zeros((len(parts), longest, len(v.INPUTS)), np.int16)
    for i, window in enumerate(parts):
        rows[i, : len(window.rows)] = window.rows
    read = torch.from_numpy(rows)
    states, cards = network.states(read), network.cards(read)
    index = [(i, k) for i, w in enumerate(parts) for k in range(w.asked, len(w.rows))]
    where = torch.tensor(index)
    targets = np.concatenate([w.targets[w.asked :] for w in parts])
    positions = np.concatenate([legal_positions(w.rows[w.asked :]) for w in parts])
    voices = np.concatenate([np.full(len(w.rows) - w.asked, w.voices) for w in parts])
    legal = {
        "position": torch.from_numpy(positions),
        "voice": torch.from_numpy(np.arange(v.VOICES) < voices[:, None]),
    }
    raw, drawn = event_scores(
        network,
        states[where[:, 0], where[:, 1]],
        cards[where[:, 0], where[:, 1]],
        torch.from_numpy(targets),
        legal,
        temperature,
        top_p,
    )
    tables = []
    for values in (raw, drawn):
        table = np.zeros((len(parts), MOST))
        places = np.concatenate([np.arange(len(w.rows) - w.asked) for w in parts])
        table[where[:, 0].numpy(), places] = values.double().numpy()
        tables.append(table)
    return tables[0], tables[1]


def event_scores(
    network: Network,
    state: torch.Tensor,
    cards: torch.Tensor,
    targets: torch.Tensor,
    legal: dict[str, torch.Tensor],
    temperature: float,
    top_p: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of each event, (n,), raw and drawn, summed over the fields that are said and drawn at play."""
    raw, drawn = torch.zeros(len(state)), torch.zeros(len(state))
    for i, field in enumerate(network.shape.outputs[: v.DRAWN]):
        target = targets[:, i].long()
        asked = target >= 0
        logits = network.field_logits(field, state)
        known = target.clamp(min=0)
        raw += torch.where(asked, _of(torch.log_softmax(logits, -1), known), 0.0)
        open_ = legal.get(field)
        if open_ is not None:
            # What stands in the work is legal, also where its bar is not as long as its signature says.
            open_ = open_.scatter(1, known[:, None], True)
            logits = logits.masked_fill(~open_, -torch.inf)
        told = sampled(logits / temperature, top_p)
        drawn += torch.where(asked, _of(told, known), 0.0)
        if i + 1 < min(v.DRAWN, network.shape.fields):
            state = state + network.said(field, known, cards) * asked[:, None]
    return raw, drawn


def sampled(scores: torch.Tensor, top_p: float) -> torch.Tensor:
    """Log-probabilities (n, choices) after nucleus sampling; see `sampling.nucleus`."""
    log_p = torch.log_softmax(scores, -1)
    if top_p >= 1:
        return log_p
    ranked, order = log_p.sort(dim=-1, descending=True, stable=True)
    before = ranked.exp().cumsum(-1) - ranked.exp()
    inside = torch.zeros_like(log_p, dtype=torch.bool).scatter(1, order, before < top_p)
    kept = log_p.masked_fill(~inside, -torch.inf)
    return kept - kept.logsumexp(-1, keepdim=True)


def _of(table: torch.Tensor, choice: torch.Tensor) -> torch.Tensor:
    return table.gather(1, choice[:, None])[:, 0]
