"""What asking the small model would take while rules are mined, at most; nobody is asked to know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from kdsl_cli.commands.mine.proposing import proposers_of, training_shown
from kdsl_cli.commands.workspace.layout import Workspace

if TYPE_CHECKING:
    from kdsl_cli.backends.calls import Pace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.evidence.questions import Shown
    from kdsl_cli.mining.expecting import Expected
    from kdsl_cli.mining.learning import Prepared

ASSUMED_SECONDS: Final = {"generate": 1.0, "score": 0.1}
"""Of a call where the model was not asked here before: a guess at a 2 B model on a GPU, and told as one."""

ASSUMED_WRITTEN: Final = 128
"""Tokens of a proposal then: half of what it may have."""

_QUESTION: Final = "Does the picture show what a question of this length asks for?"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the searches of one task would ask for: how often, and about how many tokens and minutes."""

    expected: Expected
    tokens: int
    minutes: float


def costs(
    tasks: Sequence[Prepared], settings: Settings, space: Workspace, paces: Mapping[str, Pace]
) -> list[Cost]:
    """Return what each task would take, by what a call takes (`paces`)."""
    shown = training_shown(settings, space)
    return [_cost(one, settings, shown, paces) for one in tasks]


def paces_of(settings: Settings, space: Workspace) -> dict[str, Pace]:
    """Return by operation what a call takes: the mean of earlier ones, else an assumption (of 0 calls).

    Raises
    ------
    BackendError
        If what names the model names none that could be there, or the log of calls cannot be read.
    """
    from kdsl_cli.backends.calls import Pace, read_pace
    from kdsl_cli.backends.opening import check_spec

    spec = check_spec(settings.small.model or "", space.root)
    assumed = {operation: Pace(0, 0.0, seconds) for operation, seconds in ASSUMED_SECONDS.items()}
    return assumed | read_pace(space.calls, spec)


def _cost(one: Prepared, settings: Settings, shown: Mapping[str, Shown], paces: Mapping[str, Pace]) -> Cost:
    from kdsl_cli.evidence.questions import asked_in, prompt
    from kdsl_cli.mining.expecting import expected, rough_tokens

    pixels = settings.small.max_pixels
    proposers, _ = proposers_of(one, settings, _Unopened(), shown)
    seeded = len(asked_in(seed.condition for seed in one.seeds))
    told = expected(one.campaign, proposers, max_pixels=pixels, seeded=seeded)
    asked = [prompt(_QUESTION, parts) for id in one.labelled.ids if (parts := shown[id]) is not None]
    write, score = paces["generate"], paces["score"]
    proposal = write.tokens or told.prompt_tokens + ASSUMED_WRITTEN
    answer = score.tokens or sum(rough_tokens(each, pixels) for each in asked) / max(1, len(asked))
    written = told.proposals + told.questions  # of each question, other wordings
    return Cost(
        told,
        round(written * proposal + told.answers * answer),
        round((written * write.seconds + told.answers * score.seconds) / 60, 1),
    )


@dataclass(frozen=True, slots=True)
class _Unopened:
    """Stands for a model that is not asked."""

    spec: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)

    def generate(self, *_: object) -> NoReturn:
        raise AssertionError("what something costs is told without asking")

    def score(self, *_: object) -> NoReturn:
        raise AssertionError("what something costs is told without asking")

    def close(self) -> None:
        pass
