"""The planted sample put before a model: dialogues that can be shown, and proposers that talk about them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from kdsl_cli.backends.backend import Backend
from kdsl_cli.dialogues.catalogue import Intent, Task
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.evidence.questions import Shown
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.proposers.asked import ModelProposers
from kdsl_cli.mining.proposers.desk import Material
from kdsl_cli.mining.proposers.model_settings import ModelSettings
from kdsl_cli.mining.proposers.proposer import Proposer
from kdsl_cli.mining.proposers.question_book import Asker, QuestionBook
from kdsl_cli.mining.sample import Sample

from .planted import planted, said
from .talkers import Knower, Says, Talker, answer, proposing, text

QUESTION = "Is money asked back?"
SETTINGS = ModelSettings(samples=8, shown=2, wordings=1)

RULES: list[Any] = [
    text("退款"),
    {"all": [text("退款"), {"not": text("退货")}]},
    text("退货"),
    {"all": [{"not": text("退款")}, text("退货")]},
    text("发票"),
    answer(QUESTION),
    {"not": text("退货")},
    {"text": {"contains_any": ["发票", "税号"]}},
]


def shown(dialogues: Sequence[Indexed]) -> tuple[Shown, ...]:
    """Return dialogues as a model is shown them, each with its place."""
    return tuple(
        ("customer:", dialogue.facts.turns[0].text, f"#{place}#") for place, dialogue in enumerate(dialogues)
    )


def written_in(prompt: Prompt) -> str:
    return "\n".join(part for part in prompt.parts if isinstance(part, str))


def says_rules(prompt: Prompt, number: int) -> str:
    """Propose the rules one after the other, in an order of the prompt's; at times nothing of use."""
    said = [*(proposing(rule, "So it is said.") for rule in RULES), "no idea"]
    random.Random(written_in(prompt)).shuffle(said)
    return said[number % len(said)]


def knows_money(question: str, told: str) -> bool | None:
    return "退款" in told if question == QUESTION else None


def proposers(
    says: Says | Backend = says_rules,
    *,
    mixed: bool = False,
    asker: Asker | None = None,
    settings: ModelSettings = SETTINGS,
    dialogues: Sequence[Indexed] | None = None,
    told: Sequence[Shown] | None = None,
    intents: Sequence[str] | None = None,
) -> ModelProposers:
    own = planted().dialogues if dialogues is None else dialogues
    seen = shown(own) if told is None else told
    task = Task("talk", tuple(Intent(name) for name in intents or planted().sample.intents))
    backend: Any = Talker(says) if callable(says) else says
    book = QuestionBook(asker or Knower(knows_money), seen)
    return ModelProposers(Material(task, own, seen), backend, book, settings, mixed=mixed)


def make_model(sample: Sample, intent: str, pool: Sequence[Candidate]) -> Proposer:
    return _made(sample, mixed=False)(sample, intent, pool)


def make_mixed(sample: Sample, intent: str, pool: Sequence[Candidate]) -> Proposer:
    return _made(sample, mixed=True)(sample, intent, pool)


def _made(sample: Sample, *, mixed: bool) -> ModelProposers:
    if len(sample.labels) == len(planted().dialogues):
        return proposers(mixed=mixed)
    dialogues = [said("退款")] * len(sample.labels)
    return proposers(mixed=mixed, dialogues=dialogues, intents=sample.intents)
