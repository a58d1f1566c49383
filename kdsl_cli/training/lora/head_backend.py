"""A tuned head as a backend: whoever asks how likely each intent is need not know how that is found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored
from kdsl_cli.backends.local.fingerprint import fingerprint
from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.local.rendering import Renderer, Row, batched
from kdsl_cli.backends.pictures import PictureError
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from kdsl_cli.training.lora.heads import Head, placed, pooled

BATCH: Final = 8


class HeadBackend:
    """Scores the intents of the tasks it was tuned on; it writes nothing.

    Parameters
    ----------
    spec
        What the user named the model.
    loaded
        The model, with what was learnt beside the head in it.
    head
        The classifiers.
    intents
        Names of each task's intents, in the head's order: whose choices they are is how a task is known.
    max_pixels
        Budget of a picture.
    """

    def __init__(
        self, spec: str, loaded: Loaded, head: Head, intents: Mapping[str, Sequence[str]], max_pixels: int
    ) -> None:
        self._spec = spec
        self._loaded = loaded
        self._head = head
        self._tasks = {tuple(names): task for task, names in intents.items()}
        self._renderer = Renderer.of(loaded, max_pixels)
        self._identity = {**loaded.identity, "processor": fingerprint(self._renderer)}

    @property
    def spec(self) -> str:
        """What the user named it."""
        return self._spec

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything about the model that shapes an answer."""
        return self._identity

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generated | Failed]:
        """Refuse: a head has no words.

        Raises
        ------
        BackendError
            Always.
        """
        raise BackendError("a model tuned with a head writes nothing", fix="Tune it without --head")

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return the log-probability of each intent of the task whose intents `choices` are.

        Raises
        ------
        BackendError
            If they are no task's.
        """
        task = self._tasks.get(tuple(choices))
        if task is None:
            raise BackendError("a head scores all intents of a task it was tuned on, in their order")
        answers: list[Scored | Failed] = []
        for start in range(0, len(prompts), BATCH):
            rows = [self._row(prompt) for prompt in prompts[start : start + BATCH]]
            scored = iter(self._scored([row for row in rows if isinstance(row, Row)], task))
            answers += [next(scored) if isinstance(row, Row) else row for row in rows]
        return answers

    def close(self) -> None:
        """Do nothing: the model is its owner's."""

    def _row(self, prompt: Prompt) -> Row | Failed:
        try:
            return self._renderer.row(prompt)
        except PictureError as error:
            return Failed(error.reason)

    def _scored(self, rows: Sequence[Row], task: str) -> list[Scored]:
        import torch

        if not rows:
            return []
        model: Any = self._loaded.model
        batch = batched(rows, self._renderer.pad, model.device)
        placed(model, batch)
        with torch.inference_mode():
            told = self._head.logits(pooled(model, batch), task).log_softmax(-1)
        return [Scored(tuple(row), "likelihood") for row in told.tolist()]
