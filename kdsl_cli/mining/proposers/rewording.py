"""The same question in other words.

A small model errs otherwise on each wording of what it is asked. So a question that tells something is asked
in several, and what most of them say is its answer (`panels`): prompt ensembling (Arora et al. 2022, "Ask Me
Anything", arXiv 2210.02441), the wordings being the model's own and the vote plain.
"""

from __future__ import annotations

import json
from typing import Final

from kdsl_cli.backends.backend import Backend, Failed, Generated, Sampling
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.mining.proposers.model_settings import ModelSettings
from kdsl_cli.mining.proposers.reading import UnusableError, one_line, read_json
from kdsl_cli.mining.proposers.schema import MAX_QUESTION
from kdsl_cli.runs.seeds import child_seed

_SYSTEM: Final = "You put questions into other words."


class Rewordings:
    """Other wordings of questions, as a model gives them; each question is reworded once.

    No label has a part in it, so all runs of a task may share them.

    Parameters
    ----------
    backend
        The model.
    settings
        How many wordings, and how it is asked.
    """

    def __init__(self, backend: Backend, settings: ModelSettings) -> None:
        self._backend = backend
        self._number = settings.wordings - 1
        self._sampling = Sampling(
            settings.max_tokens,
            settings.temperature,
            child_seed(settings.seed, "reword"),
            rewording_schema(self._number),
        )
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, question: str) -> tuple[str, ...]:
        """Return the other wordings of a question; none if the model gives nothing of use.

        Raises
        ------
        BackendError
            If it can answer nothing at all, or a budget is spent.
        """
        if self._number and question not in self._known:
            prompt = rewording_prompt(question, self._number)
            [answer] = self._backend.generate([prompt], self._sampling)
            self._known[question] = self._read(answer)
        return self._known.get(question, ())

    def _read(self, answer: Generated | Failed) -> tuple[str, ...]:
        try:
            return () if isinstance(answer, Failed) else read_rewordings(answer.text, self._number)
        except UnusableError:
            return ()


def rewording_prompt(question: str, number: int) -> Prompt:
    """Return the prompt that asks for a yes-or-no question in so many other wordings.

    Examples
    --------
    >>> print(rewording_prompt("Is it red?", 2).preview())
    SYSTEM: You put questions into other words.
    Question: Is it red?
    Say it in 2 other ways: a yes must mean the same, and so must a no. Use other words each time.
    Answer with JSON alone: {"wordings": ["...?", ...]}
    """
    lines = [
        f"Question: {question}",
        f"Say it in {number} other ways: a yes must mean the same, and so must a no. "
        "Use other words each time.",
        'Answer with JSON alone: {"wordings": ["...?", ...]}',
    ]
    return Prompt(_SYSTEM, ("\n".join(lines),))


def rewording_schema(number: int) -> str:
    """Return the JSON Schema of the answer as canonical JSON text."""
    wording = {"type": "string", "minLength": 8, "maxLength": MAX_QUESTION}
    schema = {
        "type": "object",
        "properties": {
            "wordings": {"type": "array", "items": wording, "minItems": number, "maxItems": number}
        },
        "required": ["wordings"],
        "additionalProperties": False,
    }
    return json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_rewordings(text: str, number: int) -> tuple[str, ...]:
    """Return the wordings in an answer, at most `number`; none that is empty or too long.

    Raises
    ------
    UnusableError
        If it is no list of wordings.

    Examples
    --------
    >>> read_rewordings('{"wordings": ["Has it the  colour red?", "", "是红色的吗？"]}', 4)
    ('Has it the colour red?', '是红色的吗？')
    """
    entries = read_json(text)
    told = entries.get("wordings") if isinstance(entries, dict) else None
    if not isinstance(told, list) or not all(isinstance(wording, str) for wording in told):
        raise UnusableError("the answer is not an object with a list of 'wordings'")
    lines = (one_line(wording) for wording in told)
    return tuple(line for line in lines if 0 < len(line) <= MAX_QUESTION)[:number]
