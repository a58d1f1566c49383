"""Samples as lines of JSON: dialogues, answers, wrong labels, and what a perfect reader would see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from shopgen.samples import QUESTIONS, Sample

Row = dict[str, Any]
EMPTY: Row = dict.fromkeys(
    (
        "id",
        "kind",
        "image",
        "seq",
        "role",
        "text",
        "score",
        "x0",
        "y0",
        "x1",
        "y1",
        "name",
        "value",
        "key",
        "error",
    )
)


def dialogue(sample: Sample) -> Row:
    """Return the canonical line; pictures lie in `images/` beside the file."""
    pictures = iter(f"images/{picture.name}" for picture in sample.pictures)
    turns = [
        {"role": role, "text": text, "images": [next(pictures) for _ in range(count)]}
        for role, text, count in sample.turns
    ]
    return {
        "id": sample.id,
        "task": sample.task,
        "turns": turns,
        "group": sample.group,
        "label": sample.label,
    }


def answers(sample: Sample) -> Row:
    """Return the true yes or no of every question, for a server that answers them."""
    return {"id": sample.id, "answers": {question: _yes(sample.answer(question)) for question in QUESTIONS}}


def noise(samples: Iterable[Sample]) -> Iterator[Row]:
    """Return the samples whose label is wrong, with the true one."""
    return ({"id": s.id, "label": s.label, "truth": s.truth} for s in samples if s.label != s.truth)


def evidence(sample: Sample) -> Iterator[Row]:
    """Yield one row a fact: turns, text lines with boxes, two descriptors a picture, one row an answer."""
    for seq, (role, text, _) in enumerate(sample.turns):
        yield EMPTY | {
            "id": sample.id,
            "kind": "turn",
            "seq": seq,
            "role": role,
            "text": text.replace("<image>", "").strip(),
        }
    for image, picture in enumerate(sample.pictures):
        lines = picture.screen.lines()
        of = {"id": sample.id, "image": image}
        for seq, (text, box) in enumerate(lines):
            sides = dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
            yield EMPTY | of | {"kind": "ocr", "seq": seq, "text": text, "score": 1.0} | sides
        size = picture.screen
        yield EMPTY | of | {"kind": "image", "name": "kind", "text": size.kind}
        yield EMPTY | of | {"kind": "image", "name": "line_count", "value": float(len(lines))}
        yield EMPTY | of | {"kind": "image", "name": "aspect", "value": round(size.width / size.height, 4)}
    for question in QUESTIONS:
        yield EMPTY | {
            "id": sample.id,
            "kind": "answer",
            "name": question,
            "text": _yes(sample.answer(question)),
        }


def jsonl(rows: Iterable[Row]) -> str:
    """Write one JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
