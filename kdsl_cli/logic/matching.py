"""Matching one condition against one dialogue: fast (`holds`), or with every reason (`match`)."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl_cli.dialogues.normalise import normalised
from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not
from kdsl_cli.logic.facts import Facts, OcrLine, TurnFact
from kdsl_cli.logic.indexing import SEPARATOR, Indexed, field_turns, in_region, index
from kdsl_cli.logic.kleene import Truth, all_of, any_of, at_least, not_
from kdsl_cli.logic.leaves import count_truth, leaf_test, needle, picture_truth, picture_value
from kdsl_cli.logic.patterns import first_span
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    TextPredicate,
    Verb,
)
from kdsl_cli.logic.verdict import Reason, Verdict


def holds(condition: Condition, facts: Facts | Indexed) -> Truth:
    """Tell whether a condition is true, false or unknown (None); the same answer as `match`, without reasons.

    Give `index(facts)` where one dialogue is asked about many conditions.

    Examples
    --------
    >>> holds(TextPredicate("any", "contains", ("退款",)), Facts("a", (TurnFact(0, "customer", "要退款"),)))
    True
    """
    return _holds(condition, index(facts))


def match(condition: Condition, facts: Facts | Indexed) -> Verdict:
    """Judge a condition and every part of it, with the facts each part rests on.

    Examples
    --------
    >>> facts = Facts("a", (TurnFact(0, "customer", "我要ＶＩＰ"),))
    >>> verdict = match(TextPredicate("last_customer", "contains", ("vip",)), facts)
    >>> verdict.value, verdict.reasons[0].what, verdict.reasons[0].span
    (True, 'turn 1, characters 2 to 5: "ＶＩＰ"', (2, 5))
    """
    dialogue = index(facts)
    match condition:
        case All(children) | Any(children) | AtLeast(_, children):
            judged = tuple(match(child, dialogue) for child in children)
            return Verdict(_group_truth(condition, [child.value for child in judged]), condition, judged)
        case Not(child):
            inner = match(child, dialogue)
            return Verdict(not_(inner.value), condition, (inner,))
        case TextPredicate(field, op, values):
            return _match_turns(condition, op, values, field_turns(dialogue.facts, field))
        case OcrPredicate():
            return _match_lines(condition, dialogue)
        case ImagePredicate():
            return _match_pictures(condition, dialogue)
        case CountPredicate(of, _, _):
            count = dialogue.counts[of]
            reasons = (Reason(f"{of.replace('_', ' ')}: {count}", value=count),)
            unread = _unread(dialogue) if of == "ocr_lines" else ()
            return Verdict(count_truth(condition, dialogue), condition, (), reasons + unread)
        case AnswerPredicate():
            return _match_answer(condition, dialogue)


def _holds(condition: Condition, dialogue: Indexed) -> Truth:
    match condition:
        case All(children):
            # Most rules fail at their first predicate: stop there.
            unknown = False
            for child in children:
                value = _holds(child, dialogue)
                if value is False:
                    return False
                unknown = unknown or value is None
            return None if unknown else True
        case Any(children) | AtLeast(_, children):
            return _group_truth(condition, [_holds(child, dialogue) for child in children])
        case Not(child):
            return not_(_holds(child, dialogue))
        case _:
            return leaf_test(condition)(dialogue)


def _group_truth(group: All | Any | AtLeast, values: Sequence[Truth]) -> Truth:
    match group:
        case All():
            return all_of(values)
        case Any():
            return any_of(values)
        case AtLeast(n, _):
            return at_least(n, values)


def _match_turns(
    node: TextPredicate, op: Verb, values: tuple[str, ...], turns: Sequence[TurnFact]
) -> Verdict:
    reasons: list[Reason] = []
    missing = set(values)
    for turn in turns:
        for value in values:
            if (span := _find(op, value, turn.text)) is not None:
                what = f"turn {turn.seq + 1}, {_quote(turn.text, span)}"
                reasons.append(Reason(what, turn=turn.seq, span=span))
                missing.discard(value)
    if not turns:
        reasons.append(Reason("there is no such message"))
    found = not missing if op == "contains_all" else len(missing) < len(set(values))
    return Verdict(found, node, (), tuple(reasons))


def _match_lines(node: OcrPredicate, dialogue: Indexed) -> Verdict:
    reasons: list[Reason] = []
    missing = set(node.values)
    for line in dialogue.facts.ocr:
        for value in node.values if in_region(line, node.region) else ():
            if (span := _find(node.op, value, line.text)) is not None:
                reasons.append(_line_reason(line, span))
                missing.discard(value)
    if not missing if node.op == "contains_all" else len(missing) < len(set(node.values)):
        return Verdict(True, node, (), tuple(reasons))
    truth = None if dialogue.unread else False
    return Verdict(truth, node, (), (*reasons, *(_unread(dialogue) or _no_picture(dialogue))))


def _match_pictures(node: ImagePredicate, dialogue: Indexed) -> Verdict:
    images = dialogue.facts.images
    reasons = []
    for image in images:
        value = picture_value(node, image, dialogue)
        if image.error is None:
            told = "not known" if value is None else value if isinstance(value, str) else f"{value:g}"
            what = f"picture {image.image + 1}: {node.feature} {told}"
            reasons.append(Reason(what, image=image.image, value=value))
    truth = any_of([picture_truth(node, image, dialogue) for image in images])
    return Verdict(truth, node, (), (*reasons, *_unread(dialogue), *_no_picture(dialogue)))


def _match_answer(node: AnswerPredicate, dialogue: Indexed) -> Verdict:
    answer = dialogue.facts.answers.get(node.question)
    if answer is None:
        return Verdict(None, node, (), (Reason("the question was not asked, or not answered"),))
    reason = Reason(f"the answer was {'yes' if answer else 'no'}", value=answer)
    return Verdict(answer == node.is_, node, (), (reason,))


def _find(op: Verb, value: str, text: str) -> tuple[int, int] | None:
    """Return where a verb first finds its phrase, in characters of the text as it was written."""
    whole = normalised(text.replace(SEPARATOR, "\ufffd"))
    body = whole.text.strip()
    if not body:
        return None
    span = _find_normalised(op, value, body)
    if span is None:
        return None
    outer = len(whole.text) - len(whole.text.lstrip())
    return whole.span(span[0] + outer, span[1] + outer)


def _find_normalised(op: Verb, value: str, body: str) -> tuple[int, int] | None:
    if op == "regex":
        return first_span(value, body)
    phrase = needle(op, value)
    match op:
        case "equals" | "equals_any":
            start = 0 if body == phrase else -1
        case "startswith":
            start = 0 if body.startswith(phrase) else -1
        case "endswith":
            start = len(body) - len(phrase) if body.endswith(phrase) else -1
        case _:
            start = body.find(phrase)
    return (start, start + len(phrase)) if start >= 0 else None


def _line_reason(line: OcrLine, span: tuple[int, int]) -> Reason:
    what = f"picture {line.image + 1}, line {line.seq + 1}, {_quote(line.text, span)}"
    return Reason(what, image=line.image, line=line.seq, span=span)


def _quote(text: str, span: tuple[int, int]) -> str:
    start, end = span
    return f'characters {start} to {end}: "{text[start:end]}"'


def _unread(dialogue: Indexed) -> tuple[Reason, ...]:
    return tuple(
        Reason(f"picture {image.image + 1} could not be read: {image.error}", image=image.image)
        for image in dialogue.facts.images
        if image.error is not None
    )


def _no_picture(dialogue: Indexed) -> tuple[Reason, ...]:
    return () if dialogue.facts.images else (Reason("there is no picture"),)
