"""The ledger's records of a phrase -> `musai.report`: what was recorded, not what would be found now."""

from typing import Any

import msgspec

from musai.errors import MusaiError, NotFound
from musai.ledger import Ledger, Payload
from musai.music import Phrase
from musai.report import Evidence, Report, build_report, player_record
from musai.report import records as told
from musai.service import records


class _Row:
    """Stored values under the names that a report looks for."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def report_of(ledger: Ledger, phrase_id: str) -> Report:
    """The report of a recorded phrase, with its last comparison.  Raises `NotFound`, `Altered`."""
    record = records.phrase_record(ledger, phrase_id)
    payload = record.payload or {}
    asked = records.request_record(ledger, payload["replay_id"])
    matches = ledger.find("phrase_id", payload["phrase_id"], "match")
    match: Payload = (matches[-1].payload or {}) if matches else {}
    row = next(iter(match.get("corpora", ())), None)
    replays = ledger.find("replay_id", payload["replay_id"], "replay")
    last = (replays[-1].payload or {}) if replays else {}
    return build_report(
        records.phrase_of(record),
        when=record.utc,
        player=player_record(
            asked["made_with"], asked["request"], name=asked["model"], model_id=asked["model_id"]
        ),
        replay=told.Replay(
            replay_id=payload["replay_id"],
            command=f"musai replay {payload['replay_id'][:12]}",
            result=last.get("verdict"),
        ),
        corpus=None if row is None else _corpus(row),
        evidence=None if row is None else _evidence(row),
        unrated=match.get("verdict", {}).get("sentence", ""),
        phrase_of=None if row is None else _Works(row["path"]).phrase,
        software={"numpy": str(asked["made_with"].get("numpy", ""))},
    )


def _corpus(row: dict[str, Any]) -> told.Corpus:
    return told.Corpus(name=row["name"], id=row["id"], works=row["works"])


def _evidence(row: dict[str, Any]) -> Evidence:
    works = {
        work_id: msgspec.convert(values, told.Work) for work_id, values in row["about"].items()
    }
    verdict: Any = _Row(row["verdict"])
    hits: list[Any] = [_Row(hit) for hit in row["hits"]]
    return Evidence(
        verdict=verdict,
        hits=hits,
        works=works,
        spread=row.get("spread"),
        style=row.get("style"),
    )


class _Works:
    """Notes of works, read from their corpus when first asked for."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._corpus: Any = None

    def phrase(self, work_id: str) -> Phrase:
        """Notes of a work; `NotFound` where the corpus is no longer there or was taken down."""
        from musai.corpus import Corpus

        try:
            if self._corpus is None:
                self._corpus = Corpus.open(self._path)
            phrase: Phrase = self._corpus.phrase(work_id)
        except MusaiError as error:
            raise NotFound(str(error)) from None
        return phrase
