"""The stored evidence, and the way in which it is made."""

import json

import pytest

from bnlab import claims
from bnlab.chapters.learning_rates import b1_rates
from bnlab.claims import CLAIMS
from bnlab.claims.__main__ import main
from bnlab.store import DamagedFileError, write_result
from bnlab.train import Run, train
from bnlab.verdicts import evidence, trainings
from bnlab.verdicts.history import RULE
from bnlab.verdicts.tuning import CHANCE
from bnlab.verdicts.verdict import WORDS

MEASURED = [item for item in CLAIMS.values() if item.measure is not None]


@pytest.mark.parametrize("item", MEASURED, ids=lambda item: item.id)
def test_stored_evidence_is_whole_and_counts_enough_seeds(item):
    stored = claims.load(item.id)
    assert len(stored.data["seeds"]) >= 8
    assert stored.verdict.word in WORDS
    assert stored.meta["rule"] == RULE and stored.meta["result"]["day"] >= "2026-11-29"
    assert stored.meta["seconds"] > 0
    assert {"bnlab", "torch", "numpy", "python"} <= set(stored.meta["versions"])
    Run.from_dict(stored.data["base"])
    assert all(isinstance(value, int | float | str) for value in stored.facts.values())


def test_evidence_holds_every_training_of_b1():
    data = claims.load("B1").data
    seeds = {*data["seeds"], *data["tuning_seeds"]}
    assert not set(data["seeds"]) & set(data["tuning_seeds"])
    wanted = len(data["depths"]) * 2 * len(b1_rates.LRS) * len(seeds)
    assert len(data["rows"]) == len({tuple(row[:4]) for row in data["rows"]}) == wanted


@pytest.mark.parametrize(("norm", "lr"), [("none", 0.1), ("batch", 0.3), ("none", 3.0)])
def test_a_stored_training_is_found_again(norm, lr):
    """A row of the evidence, trained anew: the numbers are those of this code.

    Other machines may sum in another order, and chaos then moves a few of the 300 test images.
    """
    data = claims.load("B1").data
    rows = [dict(zip(data["columns"], row, strict=True)) for row in data["rows"]]
    wanted = {"depth": 6, "norm": norm, "lr": lr, "seed": data["seeds"][0]}
    row = next(row for row in rows if wanted.items() <= row.items())
    history = train(Run.from_dict({**data["base"], **wanted}), device="cpu")
    assert (history.diverged_at is None) == (row["diverged_at"] is None)
    if history.diverged_at is None:
        assert history.test_accuracy == pytest.approx(row["test_accuracy"], abs=0.05)
    else:
        assert history.diverged_at == pytest.approx(row["diverged_at"], abs=2)


def test_measuring_b2_finds_the_explosion_again():
    here = claims.measure("B2", seeds=[200, 201])
    assert (here.values["explode"] > 1).all()
    assert (here.values["rate"] > 0.5).all()
    assert (here.values["control"] < 1).all()
    with pytest.raises(ValueError, match="at least 8 seeds"):
        _ = here.verdict


def test_seeds_that_chose_the_rates_are_not_counted():
    with pytest.raises(ValueError, match="count other seeds"):
        claims.measure("B1", seeds=[0, 200], depths=[1])


def test_a_seed_counts_once():
    for seeds in ([200] * 8, []):
        with pytest.raises(ValueError, match="seeds must be different"):
            claims.measure("B2", seeds=seeds)


def test_learning_rates_are_not_taken_over_from_another_run():
    stored = claims.load("B1").data
    short = b1_rates.BASE.replace(steps=3)
    for change in ({"base": short}, {"depths": [3]}):
        with pytest.raises(ValueError, match="leave 'tuning' out"):
            claims.measure("B1", seeds=[200], tuning=stored, **change)


def test_a_quick_look_has_facts_too():
    short = b1_rates.BASE.replace(steps=20)
    here = claims.measure("B1", seeds=[200, 201], depths=[1], base=short)
    assert here.facts["none_lr_1"] in b1_rates.LRS
    assert len(here.data["long"]) == 4


def test_another_scale_does_not_overwrite_the_evidence(tmp_path):
    stored = claims.load("B2")
    own = ("effects", "measure", "values", "facts", "runs")
    large = stored.claim.on_cifar10(**{name: getattr(stored.claim, name) for name in own})
    both = stored.claim.with_others([large])
    big = claims.Evidence(large, stored.data, {**stored.meta, "scale": "cifar10"})
    assert big.save(tmp_path).name == "B2-cifar10.json"
    found = evidence.load(both, tmp_path, "cifar10")
    assert found.claim is large and " on CIFAR-10 (" in str(found.verdict)
    with pytest.raises(FileNotFoundError, match=r"B2\.json is not there"):
        evidence.load(both, tmp_path)
    (tmp_path / "B2-cifar10.json").rename(tmp_path / "B2.json")
    with pytest.raises(DamagedFileError, match="claim, format or scale"):
        evidence.load(stored.claim, tmp_path)


def test_a_folder_that_cannot_be_written_fails_before_measuring(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert main(["measure", "B1", "--output", str(blocked)]) == 1
    assert "bnlab:" in capsys.readouterr().err


def test_unknown_scale_and_claim_list_the_known():
    with pytest.raises(ValueError, match="unknown scale of S1 'imagenet'"):
        claims.measure("S1", seeds=[200], scale="imagenet")
    with pytest.raises(ValueError, match="Did you mean 'B1'"):
        claims.load("B11")


def test_an_engine_that_a_claim_does_not_have():
    with pytest.raises(ValueError, match="unknown option of the measurement of S3: 'engine'"):
        claims.load("S3", engine="torch")
    with pytest.raises(ValueError, match="unknown engine 'x'"):
        claims.load("B1", engine="x")


def test_a_claim_without_measurement_says_so(unmeasured):
    with pytest.raises(ValueError, match=f"{unmeasured} has no measurement"):
        claims.measure(unmeasured)
    with pytest.raises(FileNotFoundError, match=f"measure {unmeasured}"):
        claims.load(unmeasured)


def test_saving_and_loading_give_the_same(tmp_path):
    stored = claims.load("B2")
    stored.save(tmp_path)
    again = evidence.load(stored.claim, tmp_path)
    assert (again.data, again.meta) == (stored.data, stored.meta)


def test_evidence_of_another_claim_is_refused(tmp_path):
    claims.load("B2").save(tmp_path)
    (tmp_path / "B2.json").rename(tmp_path / "B1.json")
    with pytest.raises(DamagedFileError, match="not evidence for B1"):
        evidence.load(claims.claim("B1"), tmp_path)
    write_result(tmp_path / "B1.json", {"claim": "B1"})
    with pytest.raises(DamagedFileError, match="not evidence for B1"):
        evidence.load(claims.claim("B1"), tmp_path)


def test_values_follow_from_the_rows():
    """In a world in which the two nets change places, what they differ in is opposite."""
    data = json.loads(json.dumps(claims.load("B1").data))
    at = {name: i for i, name in enumerate(data["columns"])}
    for row in data["rows"]:
        row[at["norm"]] = {"none": "batch", "batch": "none"}[row[at["norm"]]]
    values = b1_rates.values(data)
    words = {j.effect.name: j.word for j in claims.decide(claims.claim("B1"), values).judgements}
    assert words["own"] == words["rate"] == "opposite"


def test_a_net_that_diverged_scores_chance():
    columns = list(b1_rates.COLUMNS)
    rows = [[6, "none", lr, 1, 0.9, 0.8, None] for lr in b1_rates.LRS]
    rows[2][5:] = [None, 17]
    scores = b1_rates.accuracies({"columns": columns, "rows": rows}, 6, "none", [1])
    assert scores[2, 0] == CHANCE
    assert scores[3, 0] == 0.8


def test_the_command_lists_and_refuses(capsys, unmeasured):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert f"{unmeasured}: not measured yet" in out
    assert f"B1: {claims.load('B1').verdict.word} on digits" in out
    assert main(["measure", "B99"]) == 1
    assert "unknown claim 'B99'" in capsys.readouterr().err


def test_an_interrupted_measurement_writes_no_evidence_and_says_that_it_resumes(
    monkeypatch, tmp_path, capsys
):
    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    monkeypatch.setattr(trainings, "train", stop)
    assert main(["measure", "B1"]) == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.json"))
