"""The hits of a comparison as rows of a list, with what people found of each.  Pure."""

from collections.abc import Iterable

from musai.ledger import Payload
from musai.report.dossier import Judgement
from musai.service.fold import current_marks
from musai.service.rows import HitRow


def hit_rows(match: Payload, told: list[Judgement]) -> Iterable[HitRow]:
    """The hits of a comparison over all its corpora, the decisive corpus first."""
    marks = current_marks(told)
    rated = {one.work_id: one.likeness for one in told if one.likeness is not None}
    for row in match.get("corpora", ()):
        for rank, hit in enumerate(row["hits"], 1):
            about = row["about"].get(hit["work_id"], {})
            common = hit.get("common") or {}
            yield HitRow(
                rank=rank,
                corpus=row["name"],
                work_id=hit["work_id"],
                title=hit["title"],
                composer=hit.get("composer", ""),
                holders=list(about.get("holders", ())),
                licence=hit["licence"],
                attribution=hit.get("attribution", "") or about.get("attribution", ""),
                score=hit["score"],
                p_value=hit["p_value"],
                e_value=hit["e_value"],
                q_value=hit["q_value"],
                significant=bool(hit["significant"]),
                longest_run=hit["longest_run"],
                coverage_query=hit["coverage_query"],
                coverage_work=hit["coverage_work"],
                transposition=hit["transposition"],
                tempo_ratio=hit["tempo_ratio"],
                common_works=int(common.get("works", 0)),
                common_authors=int(common.get("authors", 0)),
                aligned=bool(hit["alignment"]),
                variants=list(hit.get("variants", ())),
                mark=marks.get((match["phrase_id"], hit["work_id"]), ""),
                likeness=rated.get(hit["work_id"]),
            )
