"""Case files: a condition, small facts, and the verdict wanted, down to where each phrase stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from kdsl_cli.logic.codec import loads
from kdsl_cli.logic.conditions import Condition
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.firing import condition_matrix
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.kleene import Truth
from kdsl_cli.logic.matching import holds, match
from kdsl_cli.logic.verdict import Verdict, render

from .strategies import conditions, facts, quick

CASES = Path(__file__).parents[1] / "cases" / "matching"
TRUTH: dict[object, Truth] = {True: True, False: False, "unknown": None}


def read_cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yml")):
        if path.stem != "kleene":
            for number, case in enumerate(YAML(typ="safe").load(path)):
                found.append(pytest.param(case, id=f"{path.stem}-{number}"))
    return found


def condition_of(when: object) -> Condition:
    rule = json.dumps({"id": "a", "intent": "b", "when": when}, ensure_ascii=False)
    return loads(f'schema: "kdsl.rules/1"\ntask: "t"\nrules:\n- {rule}\n').rules[0].when


def facts_of(case: dict[str, Any]) -> Facts:
    return Facts(
        "dialogue",
        tuple(TurnFact(seq, *turn) for seq, turn in enumerate(case.get("turns", []))),
        tuple(
            OcrLine(
                line.get("image", 0), seq, line["text"], 0.9, (line["x"], line["y"], line["x"], line["y"])
            )
            for seq, line in enumerate(case.get("ocr", []))
        ),
        tuple(
            ImageFact(place, image.get("kind"), image.get("features", {}), image.get("error"))
            for place, image in enumerate(case.get("images", []))
        ),
        case.get("answers", {}),
    )


def reasons(verdict: Verdict) -> list[str]:
    own = [reason.what for reason in verdict.reasons]
    return own + [what for child in verdict.children for what in reasons(child)]


@pytest.mark.parametrize("case", read_cases())
def test_a_verdict_and_its_reasons(case: dict[str, Any]) -> None:
    condition = condition_of(case["when"])
    verdict = match(condition, facts_of(case))
    assert verdict.value is TRUTH[case["value"]]
    assert reasons(verdict) == case["because"]


KLEENE = YAML(typ="safe").load(CASES / "kleene.yml")


@pytest.mark.parametrize("row", KLEENE, ids=[f"{row['op']}-{row['of']}" for row in KLEENE])
def test_every_row_of_the_truth_tables(row: dict[str, Any]) -> None:
    children = [{"answer": {"question": f"{n}?", "is": "yes"}} for n in range(len(row["of"]))]
    when = {
        "not": children[0],
        "at_least": {"n": row.get("n", 1), "of": children},
    }.get(row["op"], children)
    known = {f"{n}?": value for n, value in enumerate(row["of"]) if value != "unknown"}
    seen = Facts("dialogue", answers=known)
    condition = condition_of({row["op"]: when})
    assert match(condition, seen).value is TRUTH[row["value"]]
    assert holds(condition, seen) is TRUTH[row["value"]]


@quick
@given(conditions(), facts())
def test_the_fast_path_answers_as_the_one_that_explains(condition: Condition, seen: Facts) -> None:
    assert holds(condition, seen) is match(condition, seen).value


@quick
@given(st.lists(conditions(), max_size=4), st.lists(facts(), max_size=4))
def test_the_matrix_holds_what_each_match_says(rules: list[Condition], seen: list[Facts]) -> None:
    wanted = [[{True: 1, False: 0, None: -1}[holds(rule, one)] for rule in rules] for one in seen]
    found = condition_matrix(rules, [index(one) for one in seen])
    assert found.dtype == np.int8
    assert found.shape == (len(seen), len(rules))
    assert found.tolist() == wanted


@quick
@given(conditions(), facts())
def test_spans_point_at_text_that_was_written(condition: Condition, seen: Facts) -> None:
    waiting = [match(condition, seen)]
    while waiting:
        verdict = waiting.pop()
        waiting += verdict.children
        for reason in verdict.reasons:
            if reason.span is not None:
                start, end = reason.span
                assert 0 <= start <= end
                assert reason.what.endswith(
                    f'characters {start} to {end}: "{written(seen, reason)[start:end]}"'
                )


def written(seen: Facts, reason: Any) -> str:
    if reason.turn is not None:
        return seen.turns[reason.turn].text
    return next(o.text for o in seen.ocr if (o.image, o.seq) == (reason.image, reason.line))


def test_a_verdict_prints_as_a_tree() -> None:
    condition = condition_of({"all": [{"ocr": {"contains": "退款"}}, {"not": {"image": {"kind": "photo"}}}]})
    line = OcrLine(0, 0, "申请退款", 0.9, (0.1, 0.1, 0.4, 0.15))
    seen = Facts("a", ocr=(line,), images=(ImageFact(0, "screenshot"), ImageFact(1, error="truncated file")))
    assert render(match(condition, seen)).splitlines() == [
        "unknown  all",
        'true       a line on the screen contains "退款"',
        '             picture 1, line 1, characters 2 to 4: "退款"',
        "unknown    not",
        "unknown      a picture is a photo",
        "               picture 1: kind screenshot",
        "               picture 2 could not be read: truncated file",
    ]
