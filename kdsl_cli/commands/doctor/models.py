"""``kdsl doctor invariance`` and ``kdsl doctor parity``: whether a model asked another way says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from kdsl_cli.commands.models.models_here import LARGE, ModelsHere
from kdsl_cli.commands.models.small import QuantOption
from kdsl_cli.errors import CheckFailed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.backends.agreement import Pair
_EXACT: Final = 0.001
"""Nats that a log-likelihood may move with the batch in float32."""

_HALF: Final = 0.5
"""The same in 16 bits."""

_SHOWN: Final = 10  # rows on the screen; all of them are in the result as JSON

_Split = Annotated[
    Literal["train", "val"],
    typer.Option(help="Whose dialogues are asked about; nothing is learnt from them."),
]


def invariance(
    model: Annotated[str, typer.Option(help="A local model; large: the tuned one.")] = LARGE,
    split: _Split = "train",
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="Dialogues asked about.")] = 32,
    batch: Annotated[int, typer.Option(min=2, help="Dialogues at once, against one by one.")] = 8,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            help=f"Nats a log-likelihood may differ by; {_EXACT:g} in float32, {_HALF:g} in 16 bits.",
            show_default=False,
        ),
    ] = None,
    quant: QuantOption = None,
) -> None:
    """Ask one by one and in batches: the likeliest intent must not change, nor log-likelihoods by much."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.models.specimens import answers, compared, one_by_one

    here = ModelsHere.current(quant)
    asked = here.specimens(split, rows)
    count = sum(len(one.ids) for one in asked)
    with (
        here.opened(model, batch) as backend,
        current_output().progress("Asking twice", 2 * count, "answers") as bar,
    ):
        allowed = tolerance if tolerance is not None else _tolerance(backend.identity)
        found = compared(asked, one_by_one(backend, asked, bar.advance), answers(backend, asked, bar.advance))
        spec = backend.spec
    wrong = [pair for pair in found if not pair.agree or (pair.apart or 0.0) > allowed]
    largest = max((pair.apart for pair in found if pair.apart is not None), default=None)
    told = {"model": spec, "rows": count, "batch": batch, "tolerance": allowed, "largest": largest}
    changed = sum(not pair.agree for pair in found)
    head = (
        f"{spec}: {count} dialogues one by one and {batch} at once: {changed} change their likeliest intent; "
        f"log-likelihoods differ by {_nats(largest)} at most ({allowed:g} allowed)"
    )
    _show(head, found, wrong, ("one by one", f"{batch} at once"), told)
    if wrong:
        raise CheckFailed(
            f"{len(wrong)} of {count} answers depend on the batch",
            where=spec,
            fix="Use a batch of 1 (large.batch, small.batch), or weights that are not quantised",
        )


def parity(
    first: Annotated[str, typer.Argument(metavar="A", help="A model (SPEC), or large: the tuned one.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another, or the same elsewhere.")],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="Dialogues asked about.")] = 20,
    split: _Split = "train",
    min_agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a smaller share of the rows agrees.")
    ] = 1.0,
    quant: QuantOption = None,
) -> None:
    """Ask two models the same: how often they agree, on which rows least, and in what they differ."""
    from kdsl_cli.commands.models.specimens import compared

    here = ModelsHere.current(quant)
    asked = here.specimens(split, rows)
    one, other = here.consulted(first, asked), here.consulted(second, asked)
    found = compared(asked, one.answers, other.answers)
    agreed = sum(pair.agree for pair in found)
    share = agreed / len(found)
    largest = max((pair.apart_within for pair in found if pair.apart_within is not None), default=None)
    differing = _differing(one.identity, other.identity)
    lines = [
        f"{agreed} of {len(found)} rows agree ({share:.1%}); among the intents log-probabilities differ by "
        f"{_nats(largest)} at most",
        f"A: {one.spec}",
        f"B: {other.spec}",
        *(f"differs: {name}: {both[0]} | {both[1]}" for name, both in differing.items()),
    ]
    record = {"first": one.spec, "second": other.spec, "agreement": share, "largest": largest}
    _show("\n".join(lines), found, found, ("A", "B"), {**record, "differs": differing})
    if share < min_agreement:
        raise CheckFailed(
            f"{agreed} of {len(found)} rows agree",
            where=f"{one.spec} and {other.spec}",
            allowed=f"a share of {min_agreement:g} (--min-agreement)",
        )


def _tolerance(identity: Mapping[str, str]) -> float:
    return _HALF if identity.get("dtype") in ("bfloat16", "float16") else _EXACT


def _differing(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = sorted(first.keys() | second.keys())
    told = {name: (first.get(name, "not told"), second.get(name, "not told")) for name in names}
    return {name: both for name, both in told.items() if both[0] != both[1]}


def _show(
    head: str, found: Sequence[Pair], shown: Sequence[Pair], sides: tuple[str, str], told: dict[str, Any]
) -> None:
    from dataclasses import asdict

    from rich.console import Group

    from kdsl_cli.backends.agreement import worst_first
    from kdsl_cli.commands.console import current_output

    worst = worst_first(shown)
    human: RenderableType = Group(head, _table(worst[:_SHOWN], sides)) if worst else head
    data = {**told, "pairs": [{**asdict(pair), "agree": pair.agree} for pair in worst_first(found)]}
    current_output().result(human, data, [pair.id for pair in worst if not pair.agree])


def _table(worst: Sequence[Pair], sides: tuple[str, str]) -> RenderableType:
    from rich.table import Table

    table = Table("row", *sides, "apart", box=None, pad_edge=False)
    for pair in worst:
        said = [
            "failed" if name is None else f"{name} {share:.3f}"
            for name, share in zip(pair.choices, pair.probabilities, strict=True)
        ]
        table.add_row(pair.id, *said, pair.error or _nats(pair.apart_within))
    return table


def _nats(value: float | None) -> str:
    return "nothing that was told" if value is None else f"{value:.2g} nats"
