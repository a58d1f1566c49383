from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.dialogues.catalogue import Catalogue, Intent, loads
from kdsl_cli.errors import DatasetError

GOOD = """\
tasks:
- name: "scene"
  intents:
  - name: "refund"
    description: "The state of a refund"
    synonyms: ["退款", "退钱"]
  - name: "parcel"
- name: "talk"
  intents:
  - name: "refund"
"""


def test_tasks_and_intents_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "intents.yaml"
    path.write_text("\ufeff" + GOOD, encoding="utf-8")
    catalogue = Catalogue.load(path)
    assert catalogue.names == ("scene", "talk")
    assert catalogue.task("scene").intents == (
        Intent("refund", "The state of a refund", ("退款", "退钱")),
        Intent("parcel"),
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- a", 1, "list called 'tasks'"),
        ("tasks: []", 1, "list called 'tasks'"),
        ("", 1, "list called 'tasks'"),
        ("task: []\ntasks: [{name: a, intents: [{name: x}]}]", 1, "Did you mean 'tasks'?"),
        ("tasks:\n- intents: [{name: x}]", 2, "needs a name"),
        ("tasks:\n- name: a\n  intents: []", 2, "list called 'intents'"),
        ("tasks:\n- name: a\n  intents:\n  - name: 12", 4, "name in quotes"),
        ("tasks:\n- name: a\n  intents:\n  - plain", 4, "mapping with a name"),
        ("tasks:\n- name: a\n  intents:\n  - name: x\n  - name: x", 5, "first on line 4"),
        ("tasks:\n- name: a\n  intents:\n  - name: x\n    sinonyms: [y]", 5, "Did you mean 'synonyms'?"),
        ("tasks:\n- name: a\n  intents:\n  - name: x\n    synonyms: y", 4, "list of texts"),
        ("tasks:\n- name: a\n  intents:\n  - name: x\n    description: [y]", 4, "must be text"),
        ("tasks:\n- name: a\n  name: b", 3, "duplicate key"),
        ("tasks: [", 1, "not YAML"),
    ],
)
def test_a_fault_is_named_by_line(text: str, line: int, words: str) -> None:
    with pytest.raises(DatasetError) as caught:
        loads(text, "intents.yaml")
    assert caught.value.problems[0].where == f"intents.yaml:{line}"
    assert words in str(caught.value)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    with pytest.raises(DatasetError) as caught:
        loads("tasks:\n- name: 1\n- name: a\n  intents: [{name: x, colour: red}, {}]", "intents.yaml")
    assert len(caught.value.problems) == 3


def test_an_unknown_name_gets_the_nearest_one() -> None:
    catalogue = loads(GOOD, "intents.yaml")
    with pytest.raises(DatasetError, match="Did you mean 'scene'"):
        catalogue.task("scenes")
    with pytest.raises(DatasetError, match="Did you mean 'parcel'"):
        catalogue.task("scene").intent("parcels")


def test_a_catalogue_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        Catalogue.load(tmp_path / "intents.yaml")
    (tmp_path / "intents.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="not UTF-8"):
        Catalogue.load(tmp_path / "intents.yaml")
