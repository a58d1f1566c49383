"""``kdsl schema``: schemas that fit the files, and editors that are told of them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.commands.workspace.init import config_text
from kdsl_cli.commands.workspace.settings_sources import read_file, resolve
from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.errors import ConfigError
from kdsl_cli.logic.codec import load_rules
from tests.commands.deciding import large_model, out_of_fold, space  # noqa: F401 fixtures

SHOP = Path(__file__).parents[3] / "data/shop"


def schema(capsys, *arguments):
    assert kdsl(["schema", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.Draft7Validator.check_schema(found)
    return jsonschema.Draft7Validator(found)


def yaml(text):
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_of_a_dialogue_holds_for_the_shop_and_marks_what_is_refused(capsys):
    check = schema(capsys, "dialogue")
    rows = [json.loads(line) for line in (SHOP / "dialogues.jsonl").read_text("utf-8").splitlines()]
    assert not any(list(check.iter_errors(row)) for row in rows[:100])
    good = {"id": "1", "task": "t", "turns": [{"role": "customer", "text": ""}]}
    assert not list(check.iter_errors(good))
    for wrong in (
        {"id": " 1"},
        {"label": ""},
        {"turns": []},
        {"turns": [{"role": "client", "text": ""}]},
        {"turns": [{"role": "customer"}]},
        {"labels": "x"},
    ):
        assert list(check.iter_errors({**good, **wrong})), wrong


def test_the_schema_of_the_settings_holds_for_what_init_writes_and_marks_what_is_refused(capsys, tmp_path):
    check = schema(capsys, "config")
    assert not list(check.iter_errors(yaml(config_text())))
    for wrong in ("mine: {folds: 1}", "mine: {fold: 5}", "mind: {}", 'predict: {strategy: "rule"}'):
        (tmp_path / "kdsl.yaml").write_text(wrong)
        with pytest.raises(ConfigError):
            resolve(read_file(tmp_path / "kdsl.yaml"), {}, {})
        assert list(check.iter_errors(yaml(wrong))), wrong


def test_the_schema_of_a_catalogue_holds_for_the_shop(capsys):
    check = schema(capsys, "intents")
    assert not list(check.iter_errors(yaml((SHOP / "intents.yaml").read_text("utf-8"))))
    assert list(check.iter_errors(yaml("tasks: [{name: a, intents: [{nam: x}]}]")))


def test_the_schema_of_a_manifest_holds_for_what_stages_leave(space, capsys):
    check = schema(capsys, "manifest")
    assert kdsl(["predict", "-q"]) == 0
    made = json.loads(Path("runs/predict/test/manifest.json").read_text("utf-8"))
    assert not list(check.iter_errors(made))
    assert list(check.iter_errors({**made, "status": "done"}))


def test_of_a_task_the_intents_are_offered(space, capsys):
    check = schema(capsys, "rules", "--task", "scene")
    assert not list(check.iter_errors(yaml(Path("rules/scene.yaml").read_text())))
    assert kdsl(["schema", "rules", "--task", "scnee"]) == 2
    assert "Did you mean 'scene'?" in capsys.readouterr().err


def test_editors_are_told_and_nothing_else_changes(space, capsys):
    rules = load_rules(Path("rules/scene.yaml")).rules
    assert kdsl(["schema", "--editor", "-q"]) == 0
    assert "rules/scene.yaml" in capsys.readouterr().out
    first = Path("rules/scene.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../.schema/rules-scene.json"
    named = Path("rules") / first.partition("=")[2]
    check = jsonschema.Draft7Validator(json.loads(named.read_text("utf-8")))
    assert not list(check.iter_errors(yaml(Path("rules/scene.yaml").read_text())))
    assert load_rules(Path("rules/scene.yaml")).rules == rules
    before = {path: path.read_text() for path in Path().rglob("*.yaml")}
    assert kdsl(["schema", "--editor", "-q"]) == 0
    assert {path: path.read_text() for path in Path().rglob("*.yaml")} == before


def test_a_catalogue_that_was_learnt_from_is_left_alone(space, tmp_path):
    before = Path("intents.yaml").read_text()
    assert kdsl(["schema", "--editor", "-q"]) == 0
    assert Path("intents.yaml").read_text() == before
    fresh = tmp_path / "fresh"
    assert kdsl(["init", str(fresh), "-q"]) == 0
    assert kdsl(["schema", "--editor", "-q", "--config-file", str(fresh / "kdsl.yaml")]) == 0
    assert (
        (fresh / "intents.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=.schema/intents.json")
    )
    assert Catalogue.load(fresh / "intents.yaml").names


def test_a_new_rule_file_names_its_schema_from_the_start(space):
    assert kdsl(["rules", "new", "hurry", "-q"]) == 0
    assert (
        Path("rules/wish.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=../.schema/rules-wish")
    )
    assert Path(".schema/rules-wish.json").is_file()


def test_what_to_print_must_be_said(capsys):
    assert kdsl(["schema"]) == 2
    assert "rules, dialogue, intents, config, manifest, or --editor" in capsys.readouterr().err
    assert kdsl(["schema", "config", "--editor"]) == 2
