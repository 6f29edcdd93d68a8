"""A statement through the command line: files that agree, errors that write nothing, and how long it takes."""

import base64
import csv
import json
import time
from pathlib import Path

import numpy as np
import pytest

from musai.corpus import Corpus
from musai.errors import BadInput
from musai.evidence.canonical import sha256
from musai.evidence.dsse import opened
from musai.evidence.public import public_key
from musai.ledger import Ledger
from musai.music import Phrase
from musai.royalties.influence import read_influence
from musai.royalties.split import Claim, split
from musai.royalties.statement import STATEMENT, Statement, tsv
from musai.royalties.terms import StatementTerms
from musai.transformer import checkpoint as ck
from tests.cli.conftest import Run, home, run
from tests.transformer.models import SMALL, STYLES, random_weights

__all__ = ["home", "run"]

TERMS = 'currency = "EUR"\ntraining = 3000\noutput = 2000\n'
ADA, TWO = [{"name": "Ada"}], [{"name": "Ben", "share": 6000}, {"name": "Cho", "share": 4000}]
MANIFEST = "".join(
    json.dumps({"path": f"{i}.mid", "title": f"Tune {i}", "holders": ADA if i < 2 else TWO}) + "\n"
    for i in range(4)
)


def tune(seed: int) -> Phrase:
    """A line like no other."""
    rng = np.random.Generator(np.random.Philox(seed))
    return Phrase.from_notes(list(range(40)), 1, rng.integers(55, 80, 40).tolist())


@pytest.fixture
def model(home: Path) -> list[str]:
    """The ids of the works of a model that was trained on a corpus with owners."""
    music = Path("music")
    music.mkdir()
    for number in range(4):
        (music / f"{number}.mid").write_bytes(tune(number).to_midi())
    (music / "manifest.jsonl").write_text(MANIFEST)
    made = Corpus.build(music, home / "corpora" / "songs", name="songs")
    folder = home / "models" / "random"
    data = ck.weights_bytes("random", SMALL, STYLES, {"corpus": "songs"}, random_weights(SMALL))
    (folder / ck.WEIGHTS).write_bytes(data)
    rows = ["id,title,creators,collection,licence,attribution,notes"]
    rows += [f"{work.id},{work.title},,,,,{work.notes}" for work in made.works]
    (folder / ck.WORKS).write_text("\n".join(rows) + "\n")
    ck.write_sums(folder)
    Path("terms.toml").write_text(TERMS)
    return [work.id for work in made.works]


def kept(run: Run, home: Path) -> str:
    """A take that was made and kept today."""
    from datetime import UTC, datetime

    values = json.loads(run("generate", "--bars", 4, "--seed", 5, "--no-match", "--json").output)
    phrase = str(values["phrase_id"])
    with Ledger.open(home / "ledger" / "ledger.sqlite") as ledger:
        payload = {"phrase_id": phrase, "session": "cli", "decision": "kept"}
        ledger.append("decision", payload, utc=datetime.now(UTC))
    return phrase


def ask(run: Run, *also: object, revenue: str = "100.01", period: str = "2000..2999") -> object:
    whole = "2000-01-01..2999-12-31" if period == "2000..2999" else period
    options = ("--period", whole, "--revenue", revenue, "--terms", "terms.toml", "--out", "s")
    return run("royalties", *options, *also)


def test_flat_file_signed_statement_and_page_agree(run: Run, home: Path, model: list[str]) -> None:
    kept(run, home)
    result = ask(run)
    assert result.exit_code == 0, result.output
    assert "No influence was given" in result.output
    flat = (Path("s") / "statement.tsv").read_bytes()
    rows = list(csv.DictReader(flat.decode().splitlines(), delimiter="\t"))
    assert rows[-1]["record"] == "total"
    assert sum(int(row["amount_minor"]) for row in rows[:-1]) == 10_001
    assert {row["owner"] for row in rows} >= {"Ada", "Ben", "Cho", "(residual)", "(retained)"}
    envelope = (Path("s") / "statement.json").read_bytes()
    signed = opened(envelope, public_key(Path("s") / "key.pem"), STATEMENT)
    assert signed.statement["subject"][0]["digest"]["sha256"] == sha256(flat)
    assert sum(row["amount_minor"] for row in signed.predicate["lines"]) == 10_001
    page = (Path("s") / "statement.html").read_text()
    assert sha256(envelope) in page
    assert "Ada" in page
    assert "<script" not in page


def influence(model: str, rows: list[tuple[str, str, object]], lds: str = "") -> Path:
    path = Path("influence.tsv")
    head = f"# model\t{model}\n# method\ttest\n" + (f"# lds\t{lds}\n" if lds else "")
    body = "".join(f"{a}\t{b}\t{c}\n" for a, b, c in rows)
    path.write_text(f"{head}phrase_id\twork_id\tinfluence\n{body}")
    return path


def test_influence_pays_where_it_was_measured_and_is_a_proxy_where_it_was_not(
    run: Run, home: Path, model: list[str]
) -> None:
    phrase, mine = kept(run, home), ck.load("random").model_id
    rows = [(phrase, model[0], 2.0), (phrase, model[1], 1.0)]
    told = json.loads(ask(run, "--influence", influence(mine, rows), "--json").output)
    assert told["influence"]["says"].startswith("proxy")
    assert not told["influence"]["paid_by"]
    path = influence(mine, rows, "0.6\t0.5\t0.7")
    told = json.loads(run(*["royalties", "--period", "2000-01-01..2999-12-31", "--revenue", "10", "--terms"],
                          "terms.toml", "--out", "t", "--influence", path, "--json").output)  # fmt: skip
    assert told["influence"]["paid_by"]
    assert told["influence"]["lds"] == [0.6, 0.5, 0.7]
    # Nobody stated that the influence of these works may be shown: it pays and is not printed.
    assert {row["influence"] for row in told["works"]} == {None}
    assert {row["influence"] for row in told["lines"] if row["owner"] in ("Ada", "Ben", "Cho")} == {
        ""
    }


@pytest.mark.parametrize("revenue", ["0", "-5", "x"])
def test_bad_revenue_writes_nothing(run: Run, home: Path, model: list[str], revenue: str) -> None:
    kept(run, home)
    result = ask(run, revenue=revenue)
    assert result.exit_code == 2
    assert "legal is" in result.output
    assert not Path("s").exists()


def test_bad_input_is_named_and_writes_nothing(run: Run, home: Path, model: list[str]) -> None:
    assert ask(run).exit_code == 3
    phrase, mine = kept(run, home), ck.load("random").model_id
    cases = [
        (ask(run, period="1999"), "was kept"),
        (ask(run, period="soon"), "legal is a year"),
        (ask(run, period="2026-02-01..2026-01-01"), "last day not before"),
        (ask(run, "--influence", influence("0" * 64, [(phrase, model[0], 1)])), "made by another"),
        (ask(run, "--influence", influence(mine, [(phrase, "9" * 64, 1)])), "not trained on"),
        (ask(run, "--influence", influence(mine, [("8" * 64, model[0], 1)])), "does not know"),
        (ask(run, "--influence", influence(mine, [(phrase, model[0], "nan")])), "'nan'"),
    ]
    for result, told in cases:
        assert result.exit_code == 2, result.output
        assert told in result.output
    Path("terms.toml").write_text(TERMS.replace("3000", "9000"))
    assert "contradict" in ask(run).output
    assert not Path("s").exists()


def test_a_clock_that_went_backwards_is_named(run: Run, home: Path, model: list[str]) -> None:
    from datetime import UTC, datetime

    phrase = kept(run, home)
    with Ledger.open(home / "ledger" / "ledger.sqlite") as ledger:
        payload = {"phrase_id": phrase, "session": "cli", "decision": "kept"}
        ledger.append("decision", payload, utc=datetime(2020, 1, 1, tzinfo=UTC))
    result = ask(run)
    assert result.exit_code == 2
    assert "the clock went backwards" in result.output
    assert not Path("s").exists()


def test_a_ledger_cut_short_is_named(run: Run, home: Path, model: list[str]) -> None:
    kept(run, home)
    path = home / "ledger" / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    result = ask(run)
    assert result.exit_code == 1
    assert "ledger" in result.output
    assert not Path("s").exists()


def test_cells_hold_no_breaks_and_no_formulas() -> None:
    claim = Claim("w", 1, np.arange(3), (("=cmd\t|x\n", 10_000),))
    terms = StatementTerms("EUR", 3000, 2000)
    done = split(100, terms, [claim], None)
    made = Statement(("a", "b"), terms, 100, "m", "0", 1, (claim,), done, "", None, ())
    flat = tsv(made).decode().splitlines()
    assert {line.count("\t") for line in flat} == {11}
    assert any("'=cmd |x" in line for line in flat)


@pytest.mark.slow
def test_a_thousand_works_and_a_hundred_thousand_phrases_take_seconds(tmp_path: Path) -> None:
    rng = np.random.Generator(np.random.Philox(1))
    works = [f"{n:064x}" for n in range(1000)]
    phrases = [f"{n:064x}" for n in range(100_000)]
    lines = ["# model\tm", "# lds\t0.5\t0.4\t0.6", "phrase_id\twork_id\tinfluence"]
    for phrase in phrases:
        lines += [f"{phrase}\t{works[w]}\t0.0125" for w in rng.integers(0, 1000, 5).tolist()]
    path = tmp_path / "influence.tsv"
    path.write_text("\n".join(lines) + "\n")
    began = time.process_time()
    moved = read_influence(path, frozenset(phrases), dict.fromkeys(phrases, "m"))
    claims = [
        Claim(w, n, np.arange(n * 500, n * 500 + 500), ((f"Owner {n % 97}", 10_000),),
              influence=moved.works.get(w, 0))
        for n, w in enumerate(works)
    ]  # fmt: skip
    terms = StatementTerms("EUR", 3000, 2000)
    done = split(10**9, terms, claims, 0.4)
    made = Statement(("a", "b"), terms, 10**9, "m", "m", 1, tuple(claims), done, "t", None, ())
    assert tsv(made)
    seconds = time.process_time() - began
    print(f"1,000 works, 100,000 phrases, 500,000 rows of influence: {seconds:.1f} s of one core")
    assert seconds < 10
    assert sum(line.amount for line in done.lines) == 10**9


def test_influence_of_another_unit_or_interval_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "i.tsv"
    for lds in ("0.5\t0.6\t0.7", "x\t0\t1", "0.5"):
        path.write_text(f"# model\tm\n# lds\t{lds}\nphrase_id\twork_id\tinfluence\n")
        with pytest.raises(BadInput, match="lds"):
            read_influence(path, frozenset(), {})
    path.write_text("phrase_id\twork_id\tinfluence\n")
    with pytest.raises(BadInput, match="does not say of which model"):
        read_influence(path, frozenset(), {})


def test_the_payload_is_base64_of_canonical_json(run: Run, home: Path, model: list[str]) -> None:
    kept(run, home)
    ask(run)
    envelope = json.loads((Path("s") / "statement.json").read_bytes())
    told = json.loads(base64.b64decode(envelope["payload"]))
    assert told["predicateType"] == "urn:musai:royalties:v1"
    assert told["predicate"]["influence"]["formula"].startswith("Kelley")
