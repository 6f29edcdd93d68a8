"""Distinct notes: notes that belong to the same run, in one work or in its near-duplicates, are one.

Two runs of `RUN` notes of a voice are the same where their steps are and their waits are in the
same proportion, so a transposed or augmented copy adds nothing.  Only works of one cluster are held against
each other: what much music shares is common stock, nobody's copy.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from musai.music import NoteArray

RUN = 8

Ids = NDArray[np.int64]


def note_ids(works: Sequence[NoteArray], clusters: Sequence[int]) -> list[Ids]:
    """For each work the ids of its distinct notes, sorted; equal ids are the same note.

    `clusters`: a number for each work, shared by near-duplicates.
    """
    found: list[Ids] = [np.zeros(0, np.int64)] * len(works)
    first = 0
    members: dict[int, list[int]] = {}
    for at, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(at)
    for mine in members.values():
        ids, count = _cluster([works[at] for at in mine])
        for at, own in zip(mine, ids, strict=True):
            found[at] = np.unique(own + first)
        first += count
    return found


def _cluster(works: Sequence[NoteArray]) -> tuple[list[Ids], int]:
    """Ids from 0 for the notes of some works, and how many ids there are."""
    sizes = [len(work) for work in works]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    keys, places = [], []
    for work, start in zip(works, starts, strict=False):
        for voice in np.unique(work["voice"]):
            at = np.flatnonzero(work["voice"] == voice)
            at = at[np.lexsort((work["pitch"][at], work["onset"][at]))]
            runs = _runs(work["onset"][at].astype(np.int64), work["pitch"][at].astype(np.int64))
            keys.append(runs)
            windows = (
                np.lib.stride_tricks.sliding_window_view(at + start, RUN) if len(runs) else None
            )
            places.append(np.zeros((0, RUN), np.int64) if windows is None else windows)
    total = int(starts[-1])
    run, place = np.concatenate(keys), np.concatenate(places)
    if len(run) == 0:
        labels, count = np.arange(total), total
    else:
        order = np.argsort(run, kind="stable")
        run, place = run[order], place[order]
        same = run[1:] == run[:-1]
        one, other = place[:-1][same].ravel(), place[1:][same].ravel()
        graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(total, total))
        count, labels = connected_components(graph, directed=False)
    return [labels[a:b].astype(np.int64) for a, b in pairwise(starts)], count


def _runs(onsets: Ids, pitches: Ids) -> NDArray[np.uint64]:
    """A hash for each run of `RUN` notes: steps, and waits in lowest terms."""
    if len(onsets) < RUN:
        return np.zeros(0, np.uint64)
    steps = np.lib.stride_tricks.sliding_window_view(np.diff(pitches), RUN - 1)
    waits = np.lib.stride_tricks.sliding_window_view(np.diff(onsets), RUN - 1)
    least = np.gcd.reduce(waits, axis=1)
    waits = waits // np.maximum(least, 1)[:, None]
    mixed = np.zeros(len(steps), np.uint64)
    for column in (*(steps.T + 128), *waits.T):
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed
