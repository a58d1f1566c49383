"""A small shop that the tests of training share: two intents with samples, one without."""

from __future__ import annotations

import pytest

from kdsl_cli.dialogues.catalogue import Catalogue, Intent, Task
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.evidence.labelled import labelled
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact

TASK = Task(
    "talk",
    (
        Intent("refund", "wants money back", ("退款", "退钱")),
        Intent("parcel", "asks where the parcel is", ("快递", "物流")),
        Intent("season", "asks for which season", ("季节", "夏天")),
    ),
)
CATALOGUE = Catalogue((TASK, Task("scene", (Intent("bill"), Intent("shop")))))
SAID = {
    "refund": ("我要退款", "钱什么时候退", "退款没有到账"),
    "parcel": ("快递到哪了", "物流不动了", "包裹没到"),
}


def facts(id, text, *, seen="", broken=False):
    picture = ImageFact(0, error="truncated") if broken else ImageFact(0, "screenshot", {"aspect": 0.5})
    lines = () if broken or not seen else (OcrLine(0, 0, seen, 0.9, (0.1, 0.0, 0.9, 0.1)),)
    return Facts(
        id, (TurnFact(0, "service", "您好" if text else ""), TurnFact(1, "customer", text)), lines, (picture,)
    )


def sample_of(rows, catalogue=CATALOGUE, group=None):
    """Return the sample of the task `talk`: rows are (text, label)."""
    told = [
        Dialogue(f"d{n:02}", "talk", (Turn("customer", text),), group, label)
        for n, (text, label) in enumerate(rows)
    ]
    known = {
        each.id: facts(each.id, each.turns[0].text, seen="订单", broken=n == 1) for n, each in enumerate(told)
    }
    return labelled(told, known, catalogue, "train.jsonl")[0]


@pytest.fixture(scope="session")
def sample():
    return sample_of([(text, label) for label, texts in SAID.items() for text in texts * 3])
