"""Models on the disk: the same bytes, the same answers, and nothing that can be smuggled in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.errors import StageError
from kdsl_cli.logic.predicates import TextPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.training.linear.model import LinearModels
from kdsl_cli.training.linear.storage import MODEL, WEIGHTS, load, save
from kdsl_cli.training.linear.trainer import train
from tests.training.linear.conftest import TASK, facts

RULE = Rule("r", "refund", TextPredicate("customer", "contains", ('"退\\款"',)), weight=1.5)
ASKED = [facts("x", "退款呢", seen="物流"), facts("y", "快递呢", broken=True)]


@pytest.fixture(scope="module")
def models(sample):
    return LinearModels({"talk": train(sample, [RULE], seed=0).model}, seed=0)


@pytest.fixture
def folder(tmp_path, models):
    save(tmp_path, models)
    return tmp_path


def edited(folder, change):
    """Change the record, and say that its weights are those that lie there."""
    record = json.loads((folder / MODEL).read_text("utf-8"))
    record["weights"] = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    change(record)
    (folder / MODEL).write_text(json.dumps(record), "utf-8")


def reweighted(folder, **changed):
    with np.load(folder / WEIGHTS) as found:
        arrays = {**found, **{f"0.{name}": array for name, array in changed.items()}}
    np.savez(folder / WEIGHTS, **arrays)
    edited(folder, lambda record: None)


def test_what_is_loaded_answers_as_what_was_saved(folder, models):
    back = load(folder, Catalogue((TASK,)))
    assert (back.scores("talk", ASKED) == models.scores("talk", ASKED)).all()
    assert back.intents == {"talk": TASK.names} and back.seed == 0
    assert back.models["talk"].knowledge == models.models["talk"].knowledge


def test_questions_are_kept_with_the_model_and_no_word_of_them_where_there_are_none(tmp_path, sample, folder):
    assert "questions" not in (folder / MODEL).read_text("utf-8")
    heard = train(sample, questions=("红吗？", "Is it torn?"), seed=0).model
    save(tmp_path, LinearModels({"talk": heard}, seed=0))
    assert load(tmp_path).questions == {"talk": ("红吗？", "Is it torn?")}
    edited(tmp_path, lambda record: record["tasks"][0].update(questions=["a", "a"]))
    with pytest.raises(StageError, match="a question stands twice"):
        load(tmp_path)


def test_the_same_sample_and_seed_are_the_same_bytes(folder, tmp_path, sample):
    again = tmp_path / "again"
    save(again, LinearModels({"talk": train(sample, [RULE], seed=0).model}, seed=0))
    save(tmp_path / "loaded", load(folder))
    for name in (MODEL, WEIGHTS):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "loaded" / name).read_bytes() == (folder / name).read_bytes()


def test_an_unknown_task_is_told_with_a_likely_one(models):
    with pytest.raises(StageError, match=r"no model was trained for the task 'tlak'.*Did you mean 'talk'"):
        models.scores("tlak", ASKED)


def test_a_pickle_is_never_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    reweighted(folder, shares=np.array([Trap()], dtype=object))
    with pytest.raises(StageError, match="not a file of plain arrays"):
        load(folder)
    assert not (tmp_path / "sprung").exists()


def test_weights_that_were_changed_or_cut_are_refused(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-300] ^= 1
    for changed in (bytes(content), bytes(content[:-100]), b""):
        (folder / WEIGHTS).write_bytes(changed)
        with pytest.raises(StageError, match=r"not the weights that model\.json was written with"):
            load(folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(StageError, match=r"weights\.npz: no such file.*train-large --force"):
        load(folder)


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (
            {"intercepts": np.zeros(4, np.float32)},
            "intercepts holds (4,) float32, expected (3,) finite float32",
        ),
        ({"intercepts": np.zeros(3)}, "intercepts holds (3,) float64"),
        ({"intercepts": np.array([0, np.nan, 0], np.float32)}, "expected (3,) finite"),
        ({"coefficients": np.zeros((3, 2), np.float32)}, "coefficients holds (3, 2)"),
        ({"looks": np.zeros((2, 1))}, "scale holds (2, 1)"),
    ],
)
def test_arrays_that_do_not_fit_are_named(folder, array, told):
    reweighted(folder, **array)
    with pytest.raises(StageError) as error:
        load(folder)
    assert told in str(error.value) and "the model of 'talk' is not whole" in str(error.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r.update(schema="kdsl.linear/0"), "model.json:schema: Input should be 'kdsl.linear/1'"),
        (lambda r: r.update(more=1), "model.json:more: Extra inputs are not permitted"),
        (lambda r: r["tasks"][0].update(temperature=0), "temperature: Input should be greater than 0"),
        (lambda r: r["tasks"][0].update(terms={}), "is not whole: 'last_customer'"),
        (lambda r: r["tasks"][0]["terms"]["customer"].pop(), "idf holds"),
        (lambda r: r["tasks"][0]["intents"].pop(), "is not whole"),
        (lambda r: r["tasks"][0].update(rules="rules: ["), "is not whole"),
        (lambda r: r["tasks"][0]["terms"].update(service=["a", "a"]), "a term stands twice"),
    ],
)
def test_a_record_that_was_edited_is_refused(folder, change, told):
    edited(folder, change)
    with pytest.raises(StageError) as error:
        load(folder)
    assert told in str(error.value)
    assert "train-large --force" in str(error.value)


def test_no_model_is_told_with_what_makes_one(tmp_path):
    with pytest.raises(StageError, match=r"there is no linear model here.*Run: kdsl train-large"):
        load(tmp_path)


def test_another_order_of_intents_is_refused(folder):
    turned = Catalogue((replace(TASK, intents=TASK.intents[::-1]),))
    with pytest.raises(StageError, match="the model's intents of 'talk' are not those of the catalogue"):
        load(folder, turned)
