"""The prompt in which a model is shown what a draft gets right and wrong, and asked what to add.

What prompts about one intent share stands first, so that a model or a server reads it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kdsl_cli.dialogues.catalogue import Intent, Task
from kdsl_cli.dialogues.prompting import Part, Prompt
from kdsl_cli.logic.describing import describe
from kdsl_cli.mining.drafts import Draft
from kdsl_cli.mining.proposers.schema import in_words

SYSTEM: Final = (
    "You write rules that recognise what a dialogue is about. A rule is a condition on what is written and "
    "shown in it. You see what a rule gets right and wrong, and say what to add to it."
)

Example = tuple[str, tuple[Part, ...]]
"""The intent of a dialogue, and the dialogue as a model is shown it."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a prompt tells of one draft.

    Attributes
    ----------
    draft
        The draft itself.
    room
        Phrases and other parts that may be added.
    rivals
        Intents it is mixed up with.
    right, wrong, missed
        Dialogues that it rightly catches, wrongly catches and misses.
    questions
        Questions that were asked before, and are known to tell something.
    """

    draft: Draft
    room: int
    rivals: tuple[Intent, ...]
    right: tuple[Example, ...]
    wrong: tuple[Example, ...]
    missed: tuple[Example, ...]
    questions: tuple[str, ...] = ()


def proposal_prompt(task: Task, intent: Intent, case: Case, *, pictures: bool) -> Prompt:
    """Return the prompt that asks what to add to a draft; of the empty draft, for a whole rule."""
    about = f"Task: {task.name}\nThe rule is to recognise this intent: {_entry(intent)}"
    parts: list[Part] = [f"{about}\n\n{in_words(pictures=pictures)}"]
    if case.rivals:
        listed = "\n".join(f"- {_entry(rival)}" for rival in case.rivals)
        parts.append(f"\nIt is easily mixed up with:\n{listed}")
    parts += _shown("Right", "of this intent", case.right)
    parts += _shown("Wrongly caught", "of the intent {}, not of this one", case.wrong)
    parts += _shown("Missed", "of this intent, and not caught", case.missed)
    return Prompt(SYSTEM, (*parts, _request(case)))


def _entry(intent: Intent) -> str:
    said = f"{intent.name}: {intent.description}" if intent.description else intent.name
    return f"{said} (also called {', '.join(intent.synonyms)})" if intent.synonyms else said


def _shown(heading: str, kind: str, examples: Sequence[Example]) -> Iterator[Part]:
    for number, (label, parts) in enumerate(examples, start=1):
        yield f"\n{heading} {number} ({kind.format(label)}):"
        yield from parts


def _request(case: Case) -> str:
    draft = case.draft
    lines = [
        f"\nThe rule so far: {describe(draft.condition())}." if draft.clauses else "\nNo rule is there yet."
    ]
    if draft.clauses:
        lines.append("Say what to ADD, so that it keeps the right dialogues and drops those wrongly caught.")
    else:
        lines.append("Write one that catches dialogues of this intent and no others.")
    if case.questions:
        lines.append("Asked before; to use one of these, copy it word for word:")
        lines += [f"- {question}" for question in case.questions]
    lines += [
        "Copy phrases as the dialogues write them. Prefer what will hold in dialogues not shown here. "
        f"{case.room} phrases and other parts at most.",
        'Answer with JSON alone: {"when": CONDITION, "why": "one short sentence"}',
    ]
    return "\n".join(lines)
