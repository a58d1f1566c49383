"""Dialogues as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue, Turn

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).filter(
    lambda text: IMAGE_MARK not in text
)
words = texts.map(str.strip).filter(bool)
names = st.text("abc中文-_0", min_size=1, max_size=6)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    images = tuple(draw(st.lists(st.sampled_from(["a.png", "图/b.jpg"]), max_size=2)))
    pieces = [draw(texts) for _ in range(len(images) + 1)]
    text = IMAGE_MARK.join(pieces) if draw(st.booleans()) else pieces[0]
    return Turn(draw(st.sampled_from(["customer", "service", "system"])), text, images)


def _says_something(dialogue: Dialogue) -> bool:
    return bool(dialogue.images) or any(turn.text.strip() for turn in dialogue.turns)


dialogues = st.builds(
    Dialogue,
    id=names,
    task=st.sampled_from(["image-scene", "dialogue-intent"]),
    turns=st.lists(turns(), min_size=1, max_size=4).map(tuple),
    group=st.none() | names,
    label=st.none() | words,
).filter(_says_something)

data_sets = st.lists(dialogues, min_size=1, max_size=4, unique_by=lambda dialogue: dialogue.id)
