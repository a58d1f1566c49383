"""From YAML nodes to conditions: the closed grammar of `when`, and what is said where a file breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from ruamel.yaml.nodes import MappingNode, Node

from kdsl_cli.logic.conditions import MAX_DEPTH, All, Any, AtLeast, Condition, Not
from kdsl_cli.logic.features import FEATURES, KINDS
from kdsl_cli.logic.patterns import pattern_error
from kdsl_cli.logic.predicates import (
    COUNTABLES,
    LIST_VERBS,
    REGIONS,
    TEXT_FIELDS,
    VERBS,
    AnswerPredicate,
    Comparison,
    Countable,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Region,
    TextField,
    TextPredicate,
    Verb,
)
from kdsl_cli.logic.yaml_nodes import NodeReader

BOUNDS: Final = ("gte", "lte")

_Phrases = tuple[Verb, tuple[str, ...]]


def read_condition(reader: NodeReader, node: Node, name: str = "when", depth: int = 1) -> Condition | None:
    """Read one condition: a mapping with one key, the name of a group or of a predicate.

    Returns
    -------
    Condition or None
        None if something in it is wrong; the reader then holds the problems.
    """
    if depth > MAX_DEPTH:
        reader.report(node, f"conditions are nested deeper than {MAX_DEPTH}", fix="Split the rule in two")
        return None
    entries = reader.mapping(node, name, (*_GROUPS, *_PREDICATES))
    if entries is None or len(entries) != 1:
        _report_not_one(reader, node, name, entries)
        return None
    key, value = next(iter(entries.items()))
    if key in _GROUPS:
        return _GROUPS[key](reader, value, depth)
    return _PREDICATES[key](reader, value)


def _report_not_one(reader: NodeReader, node: Node, name: str, entries: dict[str, Node] | None) -> None:
    if entries:
        fix = "Give each its own '- ' line under all or any"
        reader.report(node, f"{name} has {len(entries)} conditions in one: {', '.join(entries)}", fix=fix)
    elif isinstance(node, MappingNode) and not node.value:
        reader.report(node, f"{name} is empty", (*_GROUPS, *_PREDICATES))


def _children(reader: NodeReader, node: Node, name: str, depth: int) -> tuple[Condition, ...] | None:
    items = reader.items(node, name)
    if items is None:
        return None
    read = [read_condition(reader, item, f"an entry of {name}", depth + 1) for item in items]
    children = tuple(child for child in read if child is not None)
    return children if len(children) == len(read) else None


def _read_all(reader: NodeReader, node: Node, depth: int) -> Condition | None:
    children = _children(reader, node, "all", depth)
    return All(children) if children else None


def _read_any(reader: NodeReader, node: Node, depth: int) -> Condition | None:
    children = _children(reader, node, "any", depth)
    return Any(children) if children else None


def _read_not(reader: NodeReader, node: Node, depth: int) -> Condition | None:
    child = read_condition(reader, node, "not", depth + 1)
    return Not(child) if child is not None else None


def _read_at_least(reader: NodeReader, node: Node, depth: int) -> Condition | None:
    entries = reader.mapping(node, "at_least", ("n", "of"), required=("n", "of"))
    if entries is None or len(entries) != 2:
        return None
    children = _children(reader, entries["of"], "of", depth)
    listed = entries["of"].value
    most = len(listed) if isinstance(listed, list) and listed else float("inf")
    n = reader.whole(entries["n"], "n of at_least", 1, most)
    return AtLeast(n, children) if n is not None and children else None


def _read_text(reader: NodeReader, node: Node) -> TextPredicate | None:
    entries = reader.mapping(node, "text", (*VERBS, "in"))
    if entries is None:
        return None
    place = entries.pop("in", None)
    field = reader.choice(place, "text field", TEXT_FIELDS) if place is not None else "last_customer"
    phrases = _read_phrases(reader, node, "text", entries)
    if field is None or phrases is None:
        return None
    return TextPredicate(cast(TextField, field), *phrases)


def _read_ocr(reader: NodeReader, node: Node) -> OcrPredicate | None:
    entries = reader.mapping(node, "ocr", (*VERBS, "region"))
    if entries is None:
        return None
    place = entries.pop("region", None)
    region = reader.choice(place, "region", REGIONS) if place is not None else "all"
    phrases = _read_phrases(reader, node, "ocr", entries)
    if region is None or phrases is None:
        return None
    return OcrPredicate(*phrases, cast(Region, region))


def _read_phrases(reader: NodeReader, node: Node, name: str, verbs: dict[str, Node]) -> _Phrases | None:
    if not verbs and any(key.value not in ("in", "region") for key, _ in node.value):
        return None  # the misspelt verb has been told
    if len(verbs) != 1:
        what = f"{name} has {len(verbs)} verbs: {', '.join(verbs)}" if verbs else f"{name} has no verb"
        reader.report(node, what, VERBS, "One verb to a predicate; join predicates by all or any")
        return None
    key, value = next(iter(verbs.items()))
    verb = cast(Verb, key)
    if verb in LIST_VERBS:
        phrases = reader.strings(value, key)
        return (verb, phrases) if phrases else None
    phrase = reader.string(value, key)
    if phrase is None:
        return None
    if verb == "regex" and (reason := pattern_error(phrase)) is not None:
        reader.report(value, f"this regular expression cannot be used: {reason}")
        return None
    return verb, (phrase,)


def _read_image(reader: NodeReader, node: Node) -> ImagePredicate | None:
    entries = reader.mapping(node, "image", ("kind", "feature", *BOUNDS))
    if entries is None:
        return None
    if "kind" in entries:
        if len(entries) > 1:
            reader.report(node, "image has a kind and something else", fix="Give each its own predicate")
            return None
        kind = reader.choice(entries["kind"], "kind", KINDS)
        return ImagePredicate("kind", "is", kind) if kind is not None else None
    if "feature" not in entries:
        reader.report(node, "image has neither kind nor feature")
        return None
    feature = reader.choice(entries.pop("feature"), "feature", tuple(FEATURES))
    bounds = _read_bounds(reader, node, "image", entries, reader.number)
    if feature is None or bounds is None:
        return None
    return ImagePredicate(feature, *bounds)


def _read_count(reader: NodeReader, node: Node) -> CountPredicate | None:
    entries = reader.mapping(node, "count", ("of", *BOUNDS), required=("of",))
    if entries is None or "of" not in entries:
        return None
    of = reader.choice(entries.pop("of"), "count", COUNTABLES)
    bounds = _read_bounds(reader, node, "count", entries, reader.whole)
    if of is None or bounds is None:
        return None
    op, value = bounds
    return CountPredicate(cast(Countable, of), op, cast("int | tuple[int, int]", value))


def _read_bounds(
    reader: NodeReader,
    node: Node,
    name: str,
    entries: dict[str, Node],
    number: Callable[[Node, str], float | None],
) -> tuple[Comparison, float | tuple[float, float]] | None:
    if not entries:
        reader.report(node, f"{name} has no bound", BOUNDS)
        return None
    read = {key: number(entries[key], f"{key} of {name}") for key in BOUNDS if key in entries}
    values = [value for value in read.values() if value is not None]
    if len(values) < len(read):
        return None
    if len(values) == 1:
        return next(iter(read)), values[0]
    low, high = values
    if low > high:
        reader.report(node, f"{name} can never be true: gte {low:g} is above lte {high:g}")
        return None
    return "between", (low, high)


def _read_answer(reader: NodeReader, node: Node) -> AnswerPredicate | None:
    entries = reader.mapping(node, "answer", ("question", "is"), required=("question", "is"))
    if entries is None or len(entries) != 2:
        return None
    question = reader.string(entries["question"], "question")
    wanted = reader.choice(entries["is"], "answer", ("yes", "no"))
    if question is None or wanted is None:
        return None
    return AnswerPredicate(question, wanted == "yes")


_GROUPS: Final[dict[str, Callable[[NodeReader, Node, int], Condition | None]]] = {
    "all": _read_all,
    "any": _read_any,
    "not": _read_not,
    "at_least": _read_at_least,
}
_PREDICATES: Final[dict[str, Callable[[NodeReader, Node], Condition | None]]] = {
    "text": _read_text,
    "ocr": _read_ocr,
    "image": _read_image,
    "count": _read_count,
    "answer": _read_answer,
}
