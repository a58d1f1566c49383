from collections import Counter

import pytest

from kdsl_cli.dialogues.catalogue import Catalogue

PAIRS = {
    "Is the buy button greyed out?": "product-sold-out",
    "Does a pop-up lie over the page?": "home-popup",
    "Is a corner of the parcel damaged?": "parcel-damaged",
}


def test_pictures_and_dialogues_need_each_other(rows, shop_folder):
    named = {image for row in rows for turn in row["turns"] for image in turn["images"]}
    there = {f"images/{path.name}" for path in (shop_folder / "images").iterdir()}
    assert named == there


def test_the_pictures_stay_under_six_megabytes(shop_folder):
    assert sum(path.stat().st_size for path in (shop_folder / "images").iterdir()) < 6_000_000


def test_every_label_is_in_the_catalogue_and_every_intent_has_samples(rows, shop_folder, noise):
    catalogue = Catalogue.load(shop_folder / "intents.yaml")
    true = Counter((row["task"], noise.get(row["id"], {}).get("truth", row["label"])) for row in rows)
    assert set(true) == {(task.name, intent.name) for task in catalogue.tasks for intent in task.intents}
    assert len(true) >= 20
    assert set(true.values()) == {22, 25}


def test_ids_are_unique_and_marks_match_pictures(rows):
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        for turn in row["turns"]:
            assert turn["text"].count("<image>") in (0, len(turn["images"]))


def test_two_percent_of_the_labels_are_wrong_and_written_down(rows, noise):
    assert len(noise) == round(len(rows) * 0.02)
    label = {row["id"]: row["label"] for row in rows}
    assert all(label[key] == row["label"] != row["truth"] for key, row in noise.items())


def test_a_picture_shown_twice_stays_in_one_group(rows):
    groups: dict[str, set[str]] = {}
    for row in rows:
        for turn in row["turns"]:
            for image in turn["images"]:
                groups.setdefault(image, set()).add(row["group"])
    assert max(map(len, groups.values())) == 1
    # Some picture is shown in both tasks, or the test above would say nothing.
    assert len(groups) < sum(len(turn["images"]) for row in rows for turn in row["turns"])


def test_no_two_dialogues_say_the_same(rows):
    said = [tuple(turn["text"] for turn in row["turns"]) for row in rows if row["task"] == "shop-request"]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(("question", "intent"), PAIRS.items())
def test_a_page_answers_yes_exactly_if_its_true_intent_says_so(rows, noise, answers, question, intent):
    for row in rows:
        if row["task"] == "shop-page":
            true = noise.get(row["id"], {}).get("truth", row["label"])
            assert (answers[row["id"]][question] == "yes") == (true == intent)
