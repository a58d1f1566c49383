from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.store import Observation, Store, observation_key
from kdsl_cli.logic.facts import OcrLine

SEEN = Observation(
    "k1",
    "screenshot",
    {"aspect": 0.5, "line_count": 2.0},
    (OcrLine(0, 0, "退款", 0.91, (0.1, 0.2, 0.3, 0.4)), OcrLine(0, 1, "¥ 9\n", 0.5, (0.0, 0.5, 1.0, 1.0))),
)


def test_what_was_added_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    with Store(path) as store:
        store.add(SEEN)
        store.add(Observation("k2", error="empty file"))
        store.add(Observation("k3"))
    with Store(path) as store:
        assert store.get("k1") == SEEN
        assert store.get("k2") == Observation("k2", error="empty file")
        assert store.get("k3") == Observation("k3")
        assert store.get("k4") is None


def test_a_later_record_replaces_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    with Store(path) as store:
        store.add(Observation("k1", error="took longer than 1 s"))
        store.add(SEEN)
        assert store.get("k1") == SEEN
    with Store(path) as store:
        assert store.get("k1") == SEEN
        assert len(store) == 1


def test_a_torn_last_line_is_not_known_and_the_rest_is(tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    with Store(path) as store:
        store.add(SEEN)
        store.add(Observation("k2"))
    path.write_bytes(path.read_bytes()[:-4])
    with Store(path) as store:
        assert store.get("k1") == SEEN
        assert store.get("k2") is None
        store.add(Observation("k2"))
    with Store(path) as store:
        assert store.get("k2") == Observation("k2")


@pytest.mark.parametrize("line", ['{"no": "key"}', '{"key": "k", "kind": null}', '{"key": 3, "error": "x"}'])
def test_a_record_of_something_else_is_an_error_with_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "observations.jsonl"
    with Store(path) as store:
        store.add(SEEN)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        Store(path)
    assert caught.value.problems[0].where == f"{path}:2"


def test_the_key_changes_with_all_that_shapes_an_observation() -> None:
    keys = {observation_key(sha, engine) for sha in ("a", "b") for engine in ("e1", "e2")}
    assert len(keys) == 4
