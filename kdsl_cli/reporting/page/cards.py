"""The dialogues of a page: one row each to filter and list by, and a card each that shows all there is.

Both are plain JSON: the rows travel as columns, the cards in parts that are unpacked when one is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.rule import Rule
from kdsl_cli.prediction.why import Judged
from kdsl_cli.reporting.page.material import Material
from kdsl_cli.reporting.page.verdicts import Marks, fired_rules, marks, segments, tree
from kdsl_cli.reporting.systems import COLUMNS_OF, SYSTEMS

_HEAD: Final = 90  # characters of a dialogue in the list
_BEST: Final = 3  # intents of each side on a card, with their probabilities


def rows(material: Material) -> dict[str, Any]:
    """Return all dialogues as columns, in the order of the predictions.

    Intents and rules are numbers into `tasks` and `rules`; -1 is none. `right`, `rules_right` and
    `large_right` are null where nothing can be said; `head` is how a dialogue begins.
    """
    frame = material.tables.per_dialogue
    intents = material.predictions.intents
    tasks = list(dict.fromkeys([*intents, *frame["task"]]))
    ids = sorted(set(frame["fired"].explode().drop_nulls()))
    place = {name: number for number, name in enumerate(ids)}
    columns: dict[str, list[Any]] = {name: frame[name].to_list() for name in _AS_THEY_ARE}
    for row in frame.iter_rows(named=True):
        names = intents.get(row["task"], ())
        found = {
            "task": tasks.index(row["task"]),
            "label": _number(row["label"], names),
            "said": _number(row["prediction"], names),
            "fired": [place[name] for name in row["fired"]],
            "head": " · ".join(_texts(material, row["id"]))[:_HEAD],
        }
        for name, value in found.items():
            columns.setdefault(name, []).append(value)
    return {
        "tasks": [{"name": task, "intents": list(intents.get(task, ()))} for task in tasks],
        "rules": ids,
        "columns": columns,
    }


def searchable(material: Material) -> list[str]:
    """Return all that is written in each dialogue and its pictures, normalised, with its id."""
    return [normalise("\n".join([id, *_texts(material, id)])) for id in material.tables.per_dialogue["id"]]


_AS_THEY_ARE: Final = ("id", "state", "decided_by", "right", "rules_right", "large_right")


def cards(material: Material, sources: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the card of each dialogue, in the order of the predictions.

    Parameters
    ----------
    sources
        ``src`` of each picture that can be shown (`pictures.picture_sources`).
    """
    rules = {task: {rule.id: rule for rule in base.rules} for task, base in material.bases.items()}
    starts = {task: base.starts for task, base in material.bases.items()}
    for row in material.predictions.frame.iter_rows(named=True):
        facts, dialogue = material.facts.get(row["id"]), material.dialogues.get(row["id"])
        known = rules.get(row["task"], {})
        fired = [known[name] for name in row["fired"] if name in known]
        judged = fired_rules(fired, facts, row["prediction"]) if facts else ()
        places = marks(judged)
        yield {
            "error": row["error"],
            "group": row["group"],
            "turns": _turns(dialogue, facts, places),
            "pictures": _pictures(dialogue, facts, places, sources),
            "sides": _sides(row, material.predictions.intents.get(row["task"], ())),
            "starts": {
                name: round(weight, 2)
                for name, weight in starts.get(row["task"], {}).items()
                if any(rule.intent == name for rule in fired)
            },
            # Without facts there are rules and no reasons.
            "rules": [_judged(one, facts, places) for one in judged] if facts else [*map(_rule, fired)],
        }


def _turns(dialogue: Dialogue | None, facts: Facts | None, places: Marks) -> list[dict[str, Any]]:
    sent = dialogue.turns if dialogue else ()
    said: list[tuple[str, list[tuple[str, int]]]]
    if facts is None:
        said = [(turn.role, segments(turn.text.replace(IMAGE_MARK, ""), ())) for turn in sent]
    else:
        said = [(turn.role, segments(turn.text, places.spans.get(turn.seq, ()))) for turn in facts.turns]
    first = 0
    found = []
    for number, (role, text) in enumerate(said):
        pictures = len(sent[number].images) if number < len(sent) else 0
        found.append({"role": role, "text": text, "pictures": list(range(first, first + pictures))})
        first += pictures
    return found


def _pictures(
    dialogue: Dialogue | None, facts: Facts | None, places: Marks, sources: Mapping[str, str]
) -> list[dict[str, Any]]:
    names = dialogue.images if dialogue else ()
    errors = {image.image: image.error for image in facts.images} if facts else {}
    lines = facts.ocr if facts else ()
    return [
        {
            "src": sources.get(name),
            "error": errors.get(number),
            "read": [line.text for line in lines if line.image == number],
            "boxes": [
                [*(round(edge, 4) for edge in line.box), places.lines[number, line.seq], line.text]
                for line in lines
                if line.image == number and (number, line.seq) in places.lines
            ],
        }
        for number, name in enumerate(names)
    ]


def _sides(row: Mapping[str, Any], intents: tuple[str, ...]) -> list[dict[str, Any]]:
    found = []
    for system in SYSTEMS:
        said, scores = (row[column] for column in COLUMNS_OF[system])
        best = sorted(zip(intents, scores or (), strict=False), key=lambda one: -one[1])[:_BEST]
        found.append({"who": system, "said": said, "best": [[name, round(p, 3)] for name, p in best]})
    return found


def _judged(one: Judged, facts: Facts, places: Marks) -> dict[str, Any]:
    return {**_rule(one.rule), "tree": tree(one.verdict, facts, places)}


def _rule(rule: Rule) -> dict[str, Any]:
    words = rule.why or describe(rule.when)
    return {"id": rule.id, "intent": rule.intent, "weight": round(rule.weight, 2), "words": words}


def _texts(material: Material, id: str) -> Iterator[str]:
    dialogue, facts = material.dialogues.get(id), material.facts.get(id)
    if facts is not None:
        yield from (turn.text.strip() for turn in facts.turns if turn.text.strip())
        yield from (line.text for line in facts.ocr)
    elif dialogue is not None:
        said = (turn.text.replace(IMAGE_MARK, "").strip() for turn in dialogue.turns)
        yield from (text for text in said if text)


def _number(name: str | None, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else -1
