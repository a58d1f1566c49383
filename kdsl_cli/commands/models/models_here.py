"""Models that a check asks: the tuned one of this workspace, or any that a spec names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.commands.models.specimens import Answers, Specimens
    from kdsl_cli.commands.models.tuned import Tuned
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings

LARGE: Final = "large"
"""In place of a spec: the tuned model of this workspace."""


@dataclass(frozen=True, slots=True)
class Consulted:
    """What a model answered, what the user calls it, and what it is."""

    answers: Answers
    spec: str
    identity: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelsHere:
    """The workspace that models are asked in; `tuned` is None where it has no tuned model."""

    space: Workspace
    settings: Settings
    tuned: Tuned | None

    @classmethod
    def current(cls, quant: str | None = None) -> ModelsHere:
        """Return the workspace of this run.

        Parameters
        ----------
        quant
            How the weights of models that a spec names are kept. None: as the settings say.
        """
        from kdsl_cli.commands.models.tuned import find_tuned
        from kdsl_cli.commands.workspace.layout import current_workspace
        from kdsl_cli.commands.workspace.settings_sources import current_settings

        space = current_workspace()
        return cls(space, current_settings({"small.quant": quant}), find_tuned(space.large_out))

    def specimens(self, split: str, rows: int) -> list[Specimens]:
        """Return what is asked: as the tuned model was trained, where there is one."""
        from kdsl_cli.commands.models.specimens import specimens

        record = self.tuned.record if self.tuned else None
        return specimens(self.space, self.settings, split, rows, record)

    def consulted(self, name: str, asked: Sequence[Specimens]) -> Consulted:
        """Return what a model answers; it is closed again."""
        from kdsl_cli.commands.console import current_output
        from kdsl_cli.commands.models.specimens import answers

        count = sum(len(one.ids) for one in asked)
        with (
            self.opened(name) as backend,
            current_output().progress(f"Asking {backend.spec}", count, "answers") as bar,
        ):
            return Consulted(answers(backend, asked, bar.advance), backend.spec, dict(backend.identity))

    @contextmanager
    def opened(self, name: str, batch: int | None = None) -> Iterator[Backend]:
        """Open the model of a spec, or the tuned one, for a block.

        A model that a spec names is shown pictures at the size that the tuned one was, where there is one.

        Raises
        ------
        KdslError
            If it is not there, or cannot be opened.
        """
        from kdsl_cli.backends.opening import open_backend
        from kdsl_cli.backends.spec import BackendOptions
        from kdsl_cli.commands.models.tuned import opened, the_tuned

        if name == LARGE:
            tuned = self.tuned or the_tuned(self.space.large_out)
            with opened(tuned, self.settings.large, self.space, batch=batch) as backend:
                yield backend
            return
        small = self.settings.small
        how = BackendOptions(
            quant=small.quant,
            max_pixels=self.tuned.record.max_pixels if self.tuned else small.max_pixels,
            batch_size=batch or small.batch,
            concurrency=small.concurrency,
            timeout_s=small.timeout,
        )
        backend = open_backend(name, how, self.space.root)
        try:
            yield backend
        finally:
            backend.close()
