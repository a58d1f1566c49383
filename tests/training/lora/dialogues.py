"""Dialogues of a small shop, as they are drawn and as they are written."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from kdsl_cli.dialogues.catalogue import Intent, Task
from kdsl_cli.dialogues.prompting import Choice, Picture
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.training.lora.samples.samples import Sample, View

TASK = Task(
    "talk",
    (
        Intent("refund", "退款 · wants money back"),
        Intent("parcel", "asks where the parcel is。"),
        Intent("退货", None),
        Intent("a/b (c)", "  odd \n name "),
    ),
)

names = st.text("abc中文-_", min_size=1, max_size=6)
turns = st.builds(
    Turn,
    role=st.sampled_from(["customer", "service", "system"]),
    text=st.text("好的 refund？", min_size=1, max_size=8),
    images=st.sampled_from([(), (), ("1.png",), ("1.png", "2.png")]),
)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Draw a sample of some task, labelled or not."""
    choices = tuple(Choice(name) for name in draw(st.lists(names, min_size=1, max_size=5, unique=True)))
    dialogue = Dialogue(draw(names), "talk", tuple(draw(st.lists(turns, min_size=1, max_size=4))))
    label = draw(st.none() | st.integers(0, len(choices) - 1))
    return Sample(dialogue, choices, label)


def said(id: str, label: str | None, *turns: Turn) -> Dialogue:
    """Return a dialogue of `TASK`."""
    return Dialogue(id, TASK.name, turns or (Turn("customer", "我的钱呢"),), label=label)


def blind_view(*names: str, described: bool = True) -> View:
    """Return a view of pictures that are named and never opened."""
    return View({name: Picture(Path(name), name) for name in names}, described)
