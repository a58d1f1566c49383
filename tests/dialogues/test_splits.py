from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.dialogues import jsonl, splits
from kdsl_cli.dialogues.duplicates import fingerprints
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.dialogues.splits import Splits, check_leaks, load_split, overlaps
from kdsl_cli.errors import ConfigError, DatasetError, LeakError

USUAL = {"train": 0.7, "val": 0.1, "test": 0.2}


def labelled(label: str, number: int, group: str | None = None) -> Dialogue:
    return Dialogue(f"{label}-{number}", "t", (Turn("customer", f"{label} {number}"),), group, label)


def split(dialogues: list[Dialogue], fractions: Mapping[str, float] = USUAL, seed: int = 0) -> Splits:
    return splits.split(dialogues, fractions, seed, fingerprints=fingerprints(dialogues, Path()))


def many(counts: Mapping[str, int]) -> list[Dialogue]:
    return [labelled(label, number) for label, count in counts.items() for number in range(count)]


def save(drawn: Splits, dialogues: list[Dialogue], folder: Path) -> Path:
    for name, ids in drawn.ids.items():
        text = jsonl.dump(dialogue for dialogue in dialogues if dialogue.id in ids)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / splits.FILE).write_text(drawn.dump(), encoding="utf-8")
    return folder / splits.FILE


grouped = st.lists(
    st.tuples(st.sampled_from(["x", "y", "z"]), st.none() | st.integers(0, 5)), min_size=1, max_size=40
).map(
    lambda drawn: [
        labelled(label, number, None if group is None else f"g{group}")
        for number, (label, group) in enumerate(drawn)
    ]
)


@settings(max_examples=50)
@given(grouped, st.integers(0, 3))
def test_every_dialogue_is_in_one_split_groups_never_part_and_train_has_every_intent(
    dialogues: list[Dialogue], seed: int
) -> None:
    drawn = split(dialogues, seed=seed)
    where = {id: name for name, ids in drawn.ids.items() for id in ids}
    assert sorted(where) == sorted(dialogue.id for dialogue in dialogues)
    assert sum(len(ids) for ids in drawn.ids.values()) == len(dialogues)
    homes: dict[str, set[str]] = {}
    for dialogue in dialogues:
        if dialogue.group is not None:
            homes.setdefault(dialogue.group, set()).add(where[dialogue.id])
    assert all(len(names) == 1 for names in homes.values())
    assert {d.label for d in dialogues if where[d.id] == "train"} == {d.label for d in dialogues}
    assert overlaps(drawn) == ()


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from("abcdefghij"), st.integers(4, 39), min_size=1),
    st.sampled_from([USUAL, {"train": 0.6, "val": 0.2, "test": 0.2}, {"train": 0.5, "val": 0, "test": 0.5}]),
)
def test_fractions_hold_within_each_intent_and_over_all(
    counts: dict[str, int], fractions: dict[str, float]
) -> None:
    drawn = split(many(counts), fractions)
    total = sum(counts.values())
    for name, fraction in fractions.items():
        assert abs(len(drawn.ids[name]) - fraction * total) <= 1.5
        labels = Counter(id.partition("-")[0] for id in drawn.ids[name])
        assert all(abs(labels[label] - fraction * count) < 2 for label, count in counts.items())


def test_many_small_intents_still_fill_a_small_split() -> None:
    drawn = split(many({f"intent{number:02}": 4 for number in range(40)}))
    assert [len(ids) for ids in drawn.ids.values()] == [112, 16, 32]


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_rows_does_not_matter(rng: random.Random) -> None:
    dialogues = [*many({"x": 9, "y": 5}), labelled("x", 90, "g"), labelled("y", 91, "g")]
    shuffled = rng.sample(dialogues, len(dialogues))
    assert split(shuffled).dump() == split(dialogues).dump()


def test_another_seed_is_another_parting() -> None:
    dialogues = many({"x": 20, "y": 20})
    assert split(dialogues, seed=1).ids != split(dialogues, seed=2).ids
    assert split(dialogues, seed=1) == split(dialogues, seed=1)


def test_a_split_of_fraction_zero_is_there_and_empty(tmp_path: Path) -> None:
    dialogues = many({"x": 10})
    drawn = split(dialogues, {"train": 0.8, "val": 0, "test": 0.2})
    assert [len(ids) for ids in drawn.ids.values()] == [8, 0, 2]
    save(drawn, dialogues, tmp_path)
    assert load_split(tmp_path, "val") == ()


@pytest.mark.parametrize(
    ("fractions", "words"),
    [
        ({"train": 0.7, "test": 0.7}, "sum to 1.4"),
        ({"train": 1.2, "test": -0.2}, "fraction of train is 1.2"),
        ({"train": float("nan")}, "fraction of train is nan"),
        ({}, "sum to 0"),
        ({"../train": 1.0}, "cannot name a split"),
        ({"dialogues": 1.0}, "cannot name a split"),
    ],
)
def test_fractions_that_cannot_be_used_are_refused(fractions: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        split(many({"x": 3}), fractions)


def test_a_split_is_loaded_from_its_own_file(tmp_path: Path) -> None:
    dialogues = many({"x": 10, "y": 5})
    drawn = split(dialogues)
    save(drawn, dialogues, tmp_path)
    (tmp_path / "test.jsonl").write_text("not to be opened")
    assert tuple(each.id for each in load_split(tmp_path, "train")) == drawn.ids["train"]
    assert Splits.load(tmp_path / splits.FILE) == drawn
    with pytest.raises(DatasetError, match=r"has no split 'tets'.*train, val, test"):
        load_split(tmp_path, "tets")


def test_files_that_do_not_agree_are_refused(tmp_path: Path) -> None:
    dialogues = many({"x": 10})
    save(split(dialogues), dialogues, tmp_path)
    path = tmp_path / "train.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(DatasetError, match=r"1 ids are in only one of it and splits.json"):
        load_split(tmp_path, "train")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (labelled("x", 1, "g"), labelled("y", 2, "g"), "group"),
        (
            Dialogue("x-1", "t", (Turn("customer", "为什么还没有发货呢?"),)),
            Dialogue("y-2", "t", (Turn("customer", "为什么还没有发货呢？"),)),
            "text",
        ),
    ],
)
def test_a_leak_between_given_splits_names_both_dialogues_and_what_they_share(
    tmp_path: Path, one: Dialogue, other: Dialogue, kind: str
) -> None:
    drawn = splits.given({"train": [one], "test": [other]}, fingerprints=fingerprints([one, other], Path()))
    path = save(drawn, [], tmp_path)
    with pytest.raises(LeakError) as caught:
        check_leaks(path)
    told = str(caught.value)
    assert all(word in told for word in ("'x-1' in train", "'y-2' in test", f"({kind} duplicate)", str(path)))
    assert caught.value.exit_code == 1


def test_an_edited_splits_file_that_parts_duplicates_is_refused(tmp_path: Path) -> None:
    dialogues = [labelled("x", number, "g" if number < 2 else None) for number in range(10)]
    path = save(split(dialogues), dialogues, tmp_path)
    check_leaks(path)
    record = json.loads(path.read_text())
    home = next(name for name, ids in record["splits"].items() if "x-0" in ids)
    record["splits"][home].remove("x-0")
    record["splits"]["test" if home != "test" else "val"].append("x-0")
    path.write_text(json.dumps(record))
    with pytest.raises(LeakError):
        check_leaks(path)


def test_a_dialogue_left_out_of_all_splits_hides_no_leak(tmp_path: Path) -> None:
    dialogues = [labelled("x", number, "g") for number in range(3)]
    prints = fingerprints(dialogues, Path())
    drawn = Splits(None, {}, {"train": ("x-1",), "test": ("x-2",)}, prints)
    assert [(found.first, found.second) for found in overlaps(drawn)] == [("x-1", "x-2")]


def test_ids_in_two_given_splits_are_refused_each_by_name() -> None:
    both = [labelled("x", 1), labelled("x", 2)]
    with pytest.raises(LeakError, match="'x-1' stands in both train and test") as caught:
        splits.given({"train": both, "test": both}, fingerprints={"x-1": (), "x-2": ()})
    assert [problem.where for problem in caught.value.problems] == ["x-1", "x-2"]
    assert "Leave it in the file of one split" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "kdsl.splits/9"}, "kdsl.splits/1"),
        ({"splits": {"train": "x"}}, "splits.train"),
        ({"colour": "red"}, "colour"),
        ({"splits": {"train": ["x-0"], "test": ["x-0"]}}, "stands in the splits twice"),
        ({"splits": {"train": ["ghost"]}}, "has no fingerprints"),
    ],
)
def test_a_file_that_is_no_splits_file_is_named(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    path = save(split(many({"x": 3})), [], tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DatasetError, match=words) as caught:
        Splits.load(path)
    assert str(path) in str(caught.value)
