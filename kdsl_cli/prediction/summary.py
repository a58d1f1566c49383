"""What a person asks right after predicting: how many, who decided, what failed, which rules fired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kdsl_cli.prediction.table import DECIDED_BY, PredictionTable

_SHOWN = 10  # rules and failed rows on the screen; all of them are in the result as JSON


def summarise(table: PredictionTable) -> dict[str, Any]:
    """Count the rows of a table, as plain JSON values.

    Returns
    -------
    dict
        `tasks`: by task (unknown ones last) `n`, `strategy`, `rules`, `large` and `both` (rows decided by
        each), `abstained` and `failed`. `fired`: rule to its firings, the most frequent first. `failed`: id
        to the reason.
    """
    frame = table.frame
    tasks = list(dict.fromkeys([*table.intents, *frame["task"]]))
    counts: dict[str, dict[str, Any]] = {}
    for task in tasks:
        rows = [row for row in frame.iter_rows(named=True) if row["task"] == task]
        if not rows:
            continue
        failed = [row for row in rows if row["error"] is not None]
        decided = Counter(row["decided_by"] for row in rows)
        used = sorted({row["strategy"] for row in rows if row["error"] is None})
        counts[task] = {
            "n": len(rows),
            "strategy": used[0] if used else None,
            **{name: decided[name] for name in DECIDED_BY if name != "none"},
            "abstained": decided["none"] - len(failed),
            "failed": len(failed),
        }
    fired = Counter(rule for rules in frame["fired"] for rule in rules)
    errors = frame.drop_nulls("error")
    return {
        "tasks": counts,
        "fired": dict(sorted(fired.items(), key=lambda item: (-item[1], item[0]))),
        "failed": dict(zip(errors["id"], errors["error"], strict=True)),
    }


def render(
    summary: Mapping[str, Any], place: str, *, unread: Sequence[str], unanswered: Sequence[str] = ()
) -> str:
    """Return the summary as lines of text.

    Parameters
    ----------
    place
        The file of predictions.
    unread
        Dialogues with a picture that could not be read.
    unanswered
        Dialogues of which a rule asks something that nobody answered.
    """
    lines = [_task_line(task, counts) for task, counts in summary["tasks"].items()]
    if not lines:
        lines.append("no dialogues")
    if unread:
        lines.append(f"{len(unread)} of them have a picture that could not be read: {_some(unread)}")
    if unanswered:
        lines.append(f"{len(unanswered)} of them have questions without an answer: {_some(unanswered)}")
    if fired := summary["fired"]:
        lines.append(
            "rules that fired most: " + _some([f"{rule} ({times})" for rule, times in fired.items()])
        )
    failed = list(summary["failed"].items())
    lines += [f"failed: {name}: {error}" for name, error in failed[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(f"and {len(failed) - _SHOWN} more that failed: the column error")
    return "\n".join([*lines, place])


def _task_line(task: str, counts: Mapping[str, Any]) -> str:
    decided = [
        f"{counts['rules']} by the rules",
        f"{counts['large']} by the large model",
        f"{counts['both']} by both",
    ]
    used = f" ({counts['strategy']})" if counts["strategy"] else ""
    missed = f"{counts['abstained']} abstained, {counts['failed']} failed"
    return f"{task}{used}: {counts['n']} dialogues: {', '.join(decided)}; {missed}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f", and {more} more" if more > 0 else "")
