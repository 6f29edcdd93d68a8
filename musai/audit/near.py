"""Near-verbatim: how probable it is that a window comes out with a few notes otherwise.

Constrained beams: sequences that say the work's events in their places and voices, but in up to
`EDITS` of them another pitch or another length, followed side by side through the sampler.  What they
sum to is a lower bound: what lies outside the beams is not counted.
"""

from dataclasses import dataclass

import numpy as np
import torch

from musai.audit.recall import event_scores
from musai.audit.windows import LEAST, Window, legal_positions
from musai.transformer import vocabulary as v
from musai.transformer.controls import TEMPERATURE, TOP_P
from musai.transformer.encoding import Rows
from musai.transformer.network import Network

EDITS = 3
"""Events of `LEAST` that may be said otherwise: a tenth."""

BEAMS = 16
"""Sequences followed side by side."""

OTHERS = 3
"""Other pitches, and other lengths, that are tried for an event."""

_KIND, _VOICE, _PITCH, _INTERVAL, _DURATION = (
    v.COLUMN[name] for name in ("kind", "voice", "pitch", "interval", "duration")
)


@dataclass(slots=True)
class _Beam:
    """A sequence so far: its rows, the logarithm of its probability, what was said otherwise."""

    rows: Rows
    log_p: float
    edits: int


@torch.no_grad()
def near_verbatim(
    network: Network,
    window: Window,
    temperature: float = TEMPERATURE,
    top_p: float = TOP_P,
    edits: int = EDITS,
    beams: int = BEAMS,
) -> float:
    """log of the probability under the sampler that the first `LEAST` events come out with up to
    `edits` of them otherwise; a lower bound, -inf where no beam reaches the end."""
    held = [_Beam(window.rows[: window.asked + 1], 0.0, 0)]
    for step in range(min(LEAST, len(window.rows) - window.asked)):
        at = window.asked + step
        target = window.targets[at]
        candidates: list[tuple[float, int, Rows, int]] = []
        options = _options(network, held, window, at, target, temperature, top_p)
        for number, (beam, ways) in enumerate(zip(held, options, strict=True)):
            for log_p, said, otherwise in ways:
                total, used = beam.log_p + log_p, beam.edits + otherwise
                if used <= edits and np.isfinite(total):
                    candidates.append((total, number, said, used))
        candidates.sort(key=lambda one: -one[0])
        more = at + 1 < len(window.rows)
        held = [
            _Beam(
                _followed(held[number].rows, window.rows[at + 1], said)
                if more
                else held[number].rows,
                total,
                used,
            )
            for total, number, said, used in candidates[:beams]
        ]
        if not held:
            return float("-inf")
    return float(np.logaddexp.reduce([beam.log_p for beam in held]))


def _options(
    network: Network,
    held: list[_Beam],
    window: Window,
    at: int,
    target: Rows,
    temperature: float,
    top_p: float,
) -> list[list[tuple[float, Rows, int]]]:
    """For each beam the ways to say the next event: log-probability, what is said, 1 if otherwise."""
    table = torch.from_numpy(np.stack([beam.rows for beam in held]))
    states, cards = network.states(table)[:, -1], network.cards(table)[:, -1]
    pitches, lengths = _others(network, states, cards, target)
    out: list[list[tuple[float, Rows, int]]] = []
    said, owner = [], []
    for i in range(len(held)):
        ways = [target]
        if target[2] >= 0:
            ways += [_changed(target, 2, pitch) for pitch in pitches[i]]
            ways += [_changed(target, 3, length) for length in lengths[i]]
        said += ways
        owner += [i] * len(ways)
    legal = {
        "position": torch.from_numpy(legal_positions(window.rows[at : at + 1])).expand(
            len(said), -1
        ),
        "voice": (torch.arange(v.VOICES) < window.voices).expand(len(said), -1),
    }
    targets = torch.from_numpy(np.stack(said))
    _, drawn = event_scores(
        network, states[owner], cards[owner], targets, legal, temperature, top_p
    )
    for i in range(len(held)):
        mine = [k for k, number in enumerate(owner) if number == i]
        out.append([(float(drawn[k]), said[k], int(n > 0)) for n, k in enumerate(mine)])
    return out


def _others(
    network: Network, states: torch.Tensor, cards: torch.Tensor, target: Rows
) -> tuple[list[list[int]], list[list[int]]]:
    """The likeliest other pitches and lengths of the next event, for each state."""
    if target[2] < 0:
        return [], []
    found = []
    state = states
    for i, field in enumerate(network.shape.outputs[:4]):
        if i >= 2:
            best = network.field_logits(field, state).topk(OTHERS + 1).indices.tolist()
            found.append([[c for c in row if c != int(target[i])][:OTHERS] for row in best])
        if i < 3:
            state = state + network.said(field, torch.full((len(state),), int(target[i])), cards)
    return found[0], found[1]


def _changed(target: Rows, field: int, value: int) -> Rows:
    other = target.copy()
    other[field] = value
    return other


def _followed(rows: Rows, true: Rows, said: Rows) -> Rows:
    """The rows with the next one as it was said; its interval counts from what the beam has before it."""
    row = true.copy()
    if said[2] >= 0:
        row[_PITCH], row[_DURATION] = said[2] + 1, said[3] + 1
        before = rows[(rows[:, _KIND] == v.NOTE) & (rows[:, _VOICE] == row[_VOICE])]
        if len(before) and row[_INTERVAL]:
            step = int(row[_PITCH]) - int(before[-1][_PITCH])
            row[_INTERVAL] = 25 + max(-24, min(24, step))
    return np.concatenate([rows, row[None]])
