"""Terms bind: commercial use asks every training work, revoking says what it touches, forgotten is WITHDRAWN."""

import json
from pathlib import Path

import pytest

from musai.corpus import Corpus, permission
from musai.errors import BadManifest, NotFound, Withdrawn
from musai.ledger import Ledger
from musai.service import records
from musai.service.forgetting import selected
from musai.transformer import checkpoint as ck
from tests.cli.conftest import Run, home, run
from tests.transformer.models import SMALL, STYLES, random_weights
from tests.transformer.test_training import scale_tune

__all__ = ["home", "run"]


def term(status: str, **also: object) -> dict[str, object]:
    return {"status": status, **also}


def model_on(home: Path, *terms: dict[str, object]) -> Corpus:
    """The model "random" with a training work of each of these commercial terms."""
    music = Path("music")
    music.mkdir()
    lines = []
    for number, one in enumerate(terms):
        (music / f"{number}.mid").write_bytes(scale_tune(number).to_midi())
        holders = [{"name": f"Owner {number}"}]
        row = {"path": f"{number}.mid", "title": f"Tune {number}", "holders": holders}
        lines.append(json.dumps({**row, "train": "allowed", "commercial": one}))
    (music / "manifest.jsonl").write_text("\n".join(lines))
    made = Corpus.build(music, home / "corpora" / "songs", name="songs")
    folder = home / "models" / "random"
    data = ck.weights_bytes("random", SMALL, STYLES, {"corpus": "songs"}, random_weights(SMALL))
    (folder / ck.WEIGHTS).write_bytes(data)
    rows = ["id,title,creators,collection,licence,attribution,notes"]
    rows += [f"{work.id},{work.title},,,,,{work.notes}" for work in made.works]
    (folder / ck.WORKS).write_text("\n".join(rows) + "\n")
    ck.write_sums(folder)
    return made


def made(run: Run, *options: object) -> object:
    return run("generate", "--bars", 2, "--seed", 7, "--no-match", "--json", *options)


def ledger(home: Path) -> Ledger:
    return Ledger.open(home / "ledger" / "ledger.sqlite")


def test_commercial_use_is_refused_where_one_work_does_not_allow_it(run: Run, home: Path) -> None:
    model_on(home, term("allowed"), term("denied", reason="not for sale"))
    result = made(run, "--commercial")
    assert result.exit_code == 2
    assert "1 of the 2 training works of random do not allow commercial use" in result.output
    assert "Tune 1 (denied: not for sale)" in result.output
    assert not (home / "ledger").exists()
    assert made(run).exit_code == 0


def test_conditions_travel_into_record_and_statement(run: Run, home: Path) -> None:
    asked = term("conditional", attribution="Ada, used by licence", share=250, territory=["DE"])
    model_on(home, asked, term("allowed"))
    assert made(run, "--commercial", "--territory", "FR").exit_code == 2
    values = json.loads(made(run, "--commercial", "--territory", "DE").output)
    says = {row["says"] for row in values["terms"]["conditions"]}
    assert says == {"credit: Ada, used by licence", "2.5% of revenue to the owner", "only in DE"}
    assert values["terms"]["share"] == 250
    with ledger(home) as held:
        payload = held.last(1, kind="request")[0].payload
        assert payload is not None
        assert payload["terms"] == values["terms"]
    assert run("evidence", "make", values["phrase_id"], "--out", "e").exit_code == 0
    import base64

    envelope = json.loads((Path("e") / "statement.json").read_bytes())
    assert (
        json.loads(base64.b64decode(envelope["payload"]))["predicate"]["terms"] == values["terms"]
    )
    assert run("evidence", "verify", "e").exit_code == 0


def test_a_territory_that_is_no_country_is_named(run: Run, home: Path) -> None:
    model_on(home, term("allowed"))
    result = made(run, "--commercial", "--territory", "XX")
    assert result.exit_code == 2
    assert "a territory is 'XX'" in result.output
    assert made(run, "--territory", "DE").exit_code == 2
    from musai.corpus.licences import Term

    with pytest.raises(BadManifest, match="'QQ'"):
        Term("allowed", territory=("QQ",))


def test_terms_that_ask_for_more_than_all_contradict_each_other(run: Run, home: Path) -> None:
    model_on(home, term("conditional", share=6000), term("conditional", share=5000))
    result = made(run, "--commercial")
    assert result.exit_code == 2
    assert "ask for 11000 basis points" in result.output


def test_a_term_that_has_run_out_refuses(run: Run, home: Path) -> None:
    model_on(home, term("conditional", until="2020-12-31"))
    assert "allowed only until 2020-12-31" in made(run, "--commercial").output


def test_revoking_says_first_what_it_touches_then_does_it(run: Run, home: Path) -> None:
    work = model_on(home, term("allowed"), term("allowed")).works[0]
    phrase = json.loads(made(run).output)["phrase_id"]
    told = run("corpus", "revoke", work.id[:12], "--name", "songs")
    assert told.exit_code == 0, told.output
    assert "Models trained on them: random (1 of its 2 works)." in told.output
    assert "1 phrase made by these models, in 1 session: cli." in told.output
    assert f"musai model without {work.id[:12]} --model random" in told.output
    assert "Nothing is changed yet" in told.output
    assert permission(Corpus.open("songs").work(work.id), "train").allowed
    assert run("corpus", "revoke", work.id[:12], "--name", "songs", "--yes").exit_code == 2
    values = json.loads(
        run(
            "corpus", "revoke", work.id[:12], "--name", "songs", "--yes", "--by", "Ada", "--json"
        ).output
    )
    assert values["revoked"]
    assert values["sessions"] == [{"session": "cli", "phrases": [phrase]}]
    after = Corpus.open("songs").work(work.id)
    for use in ("train", "influence", "commercial"):
        assert not permission(after, use).allowed
    assert permission(after, "match").allowed
    with ledger(home) as held:
        assert len(held.last(9, kind="terms")) == 3
    assert "revoked on" in made(run, "--commercial").output


def test_what_was_forgotten_is_withdrawn_and_the_chain_still_verifies(run: Run, home: Path) -> None:
    first = json.loads(made(run).output)
    other = json.loads(run("generate", "--seed", 8, "--bars", 2, "--no-match", "--json").output)
    assert run("evidence", "make", first["phrase_id"], "--out", "e").exit_code == 0
    told = run("ledger", "forget", first["phrase_id"][:8])
    assert "nothing is erased yet" in told.output
    assert run("replay", first["replay_id"][:8]).exit_code == 0
    assert run("ledger", "forget", first["phrase_id"][:8], "--yes").exit_code == 2
    done = run("ledger", "forget", first["phrase_id"][:8], "--yes", "--reason", "asked to")
    assert done.exit_code == 0, done.output
    assert run("ledger", "verify").exit_code == 0
    gone = run("replay", first["replay_id"][:8])
    assert gone.exit_code == 3
    assert "WITHDRAWN" in gone.output
    assert "asked to" in gone.output
    verified = run("evidence", "verify", "e")
    assert verified.exit_code == 3
    assert "WITHDRAWN" in verified.output
    assert run("replay", other["replay_id"][:8]).exit_code == 0
    data = (home / "ledger" / "ledger.sqlite").read_bytes()
    assert first["phrase_id"].encode() not in data
    with ledger(home) as held, pytest.raises(Withdrawn):
        records.phrase_record(held, first["phrase_id"])


def test_a_whole_session_or_model_is_forgotten_and_nothing_else(run: Run, home: Path) -> None:
    made(run)
    with ledger(home) as held:
        before = selected(held, sessions=["cli"])
        assert before.records == selected(held, models=[ck.load("random").model_id]).records
        with pytest.raises(NotFound, match="nothing was erased"):
            selected(held, sessions=["other"])
    assert run("ledger", "forget").exit_code == 2
    result = run("ledger", "forget", "--model", "random", "--yes", "--reason", "revoked", "--json")
    assert json.loads(result.output)["records"] == sorted(before.records)
