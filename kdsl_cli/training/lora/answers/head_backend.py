"""A tuned head as a backend: whoever asks how likely each intent is need not know how that is found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored
from kdsl_cli.backends.local.batching import Batches
from kdsl_cli.backends.local.fingerprint import fingerprint
from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.spec import BackendOptions
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from kdsl_cli.training.lora.adapters.heads import Head, placed, pooled


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
    options
        How to run it.
    """

    def __init__(
        self,
        spec: str,
        loaded: Loaded,
        head: Head,
        intents: Mapping[str, Sequence[str]],
        options: BackendOptions,
    ) -> None:
        self._spec = spec
        self._loaded = loaded
        self._head = head
        self._tasks = {tuple(names): task for task, names in intents.items()}
        self._batches = Batches(spec, loaded, options)
        self._identity = {**loaded.identity, "processor": fingerprint(self._batches.renderer)}

    @property
    def spec(self) -> str:
        """What the user named it."""
        return self._spec

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything about the model that shapes an answer."""
        return self._identity

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
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

        def answer(_: Sequence[int], batch: dict[str, Any], past: None) -> list[Scored]:
            model: Any = self._loaded.model
            placed(model, batch)
            told = self._head.logits(pooled(model, batch), task).log_softmax(-1)
            return [Scored(tuple(row), "likelihood") for row in told.tolist()]

        return self._batches.answered(prompts, 0, answer)

    def close(self) -> None:
        """Do nothing: the model is its owner's."""
