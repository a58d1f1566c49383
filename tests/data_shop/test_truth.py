import numpy as np
import pytest

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.logic.codec import load_rules, loads
from kdsl_cli.logic.firing import firing_matrix

TASKS = ("shop-page", "shop-request")


@pytest.fixture(scope="module")
def drawn(recovery, shop_folder):
    return recovery.fresh_samples(shop_folder, 1600, seed=3)


@pytest.fixture(scope="module")
def truth(shop_folder):
    return {task: load_rules(shop_folder / "truth" / f"{task}.yaml").rules for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_planted_rules_are_never_wrong_and_cover_nine_of_ten(task, drawn, truth, shop_folder):
    facts, labels = drawn[task]
    fired, true = firing_matrix(truth[task], facts) == 1, np.array(labels)
    for place, rule in enumerate(truth[task]):
        assert fired[:, place].any(), rule.id
        assert set(true[fired[:, place]]) == {rule.intent}, rule.id
    for intent in Catalogue.load(shop_folder / "intents.yaml").task(task).names:
        own = [rule.intent == intent for rule in truth[task]]
        assert fired[:, own].any(axis=1)[true == intent].mean() > 0.8, intent


@pytest.mark.parametrize("task", TASKS)
def test_an_intent_that_words_decide_has_two_rules_or_more(task, truth, recovery, shop_folder):
    for intent in Catalogue.load(shop_folder / "intents.yaml").task(task).names:
        rules = [rule for rule in truth[task] if rule.intent == intent]
        assert rules
        assert any(recovery.asks(rule) for rule in rules) or len(rules) >= 2


def test_the_truth_itself_is_recovered_whole_and_not_spurious(drawn, truth, recovery):
    planted, kept = recovery.score(list(truth["shop-page"]), list(truth["shop-page"]), *drawn["shop-page"])
    assert planted["recovered"].all()
    assert not kept["spurious"].any()


def test_chance_is_spurious_the_unknown_is_not_and_a_part_is_not_enough(drawn, truth, recovery):
    mined = loads(
        """
schema: "kdsl.rules/1"
task: "shop-page"
rules:
- {id: "chance", intent: "coupon-list", status: "mined", when: {ocr: {contains: "墨绿"}}, why: ""}
- {id: "pixels", intent: "home", status: "mined", when: {image: {feature: "brightness", lte: 0.4}}, why: ""}
- {id: "half", intent: "parcel-tracking", status: "mined", when: {ocr: {contains: "运输中"}}, why: ""}
"""
    ).rules
    planted, kept = recovery.score(list(mined), list(truth["shop-page"]), *drawn["shop-page"])
    verdict = {row["rule"]: (row["spurious"], row["unscored"]) for row in kept.to_dicts()}
    assert verdict == {"chance": (True, False), "pixels": (False, True), "half": (False, False)}
    covered = dict(planted.select("rule", "covered").iter_rows())
    assert 0.3 < covered["parcel-tracking-zh"] < 0.7
    assert not planted["recovered"].any()
