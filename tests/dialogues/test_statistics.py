from __future__ import annotations

from kdsl_cli.dialogues import catalogue
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.dialogues.statistics import per_intent

DIALOGUES = (
    Dialogue("a", "t", (Turn("customer", "<image>四个字呀", ("1.png",)), Turn("service", "亲")), "g", "buy"),
    Dialogue("b", "t", (Turn("customer", "两字"),), "g", "buy"),
    Dialogue("c", "t", (Turn("customer", "?"),)),
)


def test_each_intent_is_counted_and_the_unlabelled_stand_last() -> None:
    frame = per_intent(DIALOGUES)
    assert frame.rows() == [("t", "buy", 2, 1, 1, 1.5, 3.0, 1), ("t", None, 1, 0, 0, 1.0, 1.0, 1)]


def test_the_catalogue_gives_the_order_and_its_empty_intents() -> None:
    known = catalogue.loads("tasks: [{name: t, intents: [{name: sell}, {name: buy}]}]", "intents.yaml")
    frame = per_intent(DIALOGUES, known)
    assert frame["intent"].to_list() == ["sell", "buy", None]
    assert frame.row(0) == ("t", "sell", 0, 0, 0, None, None, 0)


def test_no_dialogues_give_an_empty_table() -> None:
    assert per_intent([]).is_empty()
