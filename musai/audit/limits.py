"""Does a model keep to what its works' owners accept of memorization?  The terms beside the audit."""

from dataclasses import dataclass
from pathlib import Path

from musai.audit import recorded
from musai.audit.recorded import TAKES, WorkRecall, extraction
from musai.corpus import Corpus
from musai.errors import NotAllowed, NotFound
from musai.transformer import checkpoint

NAMED = 10
"""Works that an error names."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`works` have a limit, `unknown` of them were not audited; `over` are (row, found, limit).

    `why_not` says why nothing could be held against the terms, else empty.
    """

    works: int
    audited: bool
    unknown: tuple[str, ...] = ()
    over: tuple[tuple[WorkRecall, float, float], ...] = ()
    why_not: str = ""

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        if self.why_not:
            return f"memorization: not held against terms, because {self.why_not}"
        if not self.works:
            told = "audited" if self.audited else "not audited"
            return f"memorization: {told}; no training work's terms set a limit"
        if self.unknown or self.over:
            return f"memorization: {len(self.over)} of {self.works} works are over their owners' limits"
        return f"memorization: all {self.works} works with a limit are within it"

    def check(self) -> None:
        """Raise `NotAllowed` naming the works that are over their limits, or were not audited."""
        if self.over:
            first = "; ".join(
                f"{row.title} ({row.work_id[:12]}): {found:.3g} in {TAKES[-1]:,} takes, its owner "
                f"accepts {limit:g}"
                for row, found, limit in self.over[:NAMED]
            )
            more = f"; and {len(self.over) - NAMED} more" if len(self.over) > NAMED else ""
            raise NotAllowed(f"{len(self.over)} works are given back too easily: {first}{more}")
        if self.unknown:
            raise NotAllowed(
                f"the terms of {len(self.unknown)} training works limit memorization and these were "
                f"not audited: {', '.join(work[:12] for work in self.unknown[:NAMED])}; run musai "
                "audit memorization"
            )


def limits_kept(folder: Path, corpus: str | None = None) -> Kept:
    """The limits in the terms of a model's training works, beside its audit."""
    audit = recorded.load(folder)
    if audit is not None and audit.model_id != checkpoint.check_sums(folder)[checkpoint.WEIGHTS]:
        audit = None  # of a model that was here before: its weights have been trained anew
    if not (folder / checkpoint.WORKS).is_file():
        return Kept(0, audit is not None, why_not="it names no training works")
    wanted = corpus or checkpoint.load(folder).origin.get("corpus", "")
    try:
        held = Corpus.open(str(wanted))
    except NotFound as error:
        return Kept(0, audit is not None, why_not=str(error))
    limits = {
        work_id: limit
        for work_id in checkpoint.work_ids(folder)
        if work_id in held and (limit := held.work(work_id).terms.train.recall) is not None
    }
    rows = {} if audit is None else {row.work_id: row for row in audit.works}
    short = set() if audit is None else set(audit.short)
    over = [
        (rows[work_id], found, limit)
        for work_id, limit in limits.items()
        if work_id in rows and (found := extraction(rows[work_id].drawn, TAKES[-1])) > limit
    ]
    unknown = [work_id for work_id in limits if work_id not in rows and work_id not in short]
    over.sort(key=lambda row: -row[1])
    return Kept(len(limits), audit is not None, tuple(unknown), tuple(over))
