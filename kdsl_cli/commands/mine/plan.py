"""``kdsl mine-rules --dry-run``: what would be searched and asked, at most. Asks nobody, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.extract.training_data import load_seed_rules, load_training_data
from kdsl_cli.commands.mine.cost import Cost, costs, paces_of
from kdsl_cli.commands.mine.proposing import unasked, uses_model
from kdsl_cli.commands.mine.search import search_settings
from kdsl_cli.commands.models.small import limits
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace

if TYPE_CHECKING:
    from kdsl_cli.backends.calls import Pace
    from kdsl_cli.commands.workspace.settings import Settings, SmallSettings
    from kdsl_cli.mining.learning import Prepared

_COUNTED = ("drafts", "proposals", "questions", "answers", "calls")


def show_plan(settings: Settings) -> None:
    """Print what mining in this run's workspace would search for, and ask of the small model.

    Raises
    ------
    KdslError
        If an input is missing, wrong or leaks, or what names the small model names none.
    """
    space = current_workspace()
    asks = uses_model(settings)
    tasks = _prepared(space, settings)
    rows = [_searches(one) for one in tasks]
    who = "statistical" if not asks else "model" if settings.mine.proposer == "model" else "mixed"
    plan: dict[str, Any] = {"proposer": who, "tasks": rows}
    lines = [_searched(row) for row in rows]
    if asks:
        paces = paces_of(settings, space)
        told = costs(tasks, settings, space, paces)
        for row, cost in zip(rows, told, strict=True):
            row |= _record(cost)
        plan |= _together(rows, settings.small, paces, told)
        lines += _asked(plan, rows)
    else:
        lines.append(unasked(settings) or "No model is asked.")
    current_output().result("\n".join(lines), plan, [row["task"] for row in rows])


def _prepared(space: Workspace, settings: Settings) -> list[Prepared]:
    """Return every task as it would be searched, but for the level of noise, which takes its time."""
    from kdsl_cli.mining.learning import prepare

    data, options = load_training_data(space, settings), settings.mine
    seeds = load_seed_rules(space, options.seed_rules, data.catalogue)
    return [
        prepare(
            labelled,
            seeds.get(labelled.task.name, ()),
            search_settings(options),
            folds=options.folds,
            permutations=0,
        )
        for labelled in data.labelled
    ]


def _searches(one: Prepared) -> dict[str, Any]:
    from kdsl_cli.mining.expecting import searched

    units = searched(one.campaign)
    return {
        "task": one.labelled.task.name,
        "searches": len(units),
        "intents": len({unit.intent for unit in units}),
        "folds": len(one.campaign.sample.folds),
        "simulations": one.campaign.settings.simulations,
        "predicates": len(one.campaign.pool),
    }


def _searched(row: Mapping[str, Any]) -> str:
    return (
        f"{row['task']}: {row['searches']} searches, of {row['intents']} intents on all dialogues and "
        f"without each of {row['folds']} folds; {row['simulations']:,} steps each at most, "
        f"among {row['predicates']:,} predicates"
    )


def _record(cost: Cost) -> dict[str, Any]:
    counted = {name: getattr(cost.expected, name) for name in _COUNTED}
    return {**counted, "tokens": cost.tokens, "minutes": cost.minutes}


def _together(
    rows: Sequence[Mapping[str, Any]],
    options: SmallSettings,
    paces: Mapping[str, Pace],
    told: Sequence[Cost],
) -> dict[str, Any]:
    """Return the sums, what they rest on, and the first prompt of all."""
    from dataclasses import asdict

    prompted = [cost.expected for cost in told if cost.expected.prompt is not None]
    prompt = prompted[0].prompt if prompted else None
    return {
        "model": options.model,
        **{name: sum(row[name] for row in rows) for name in ("calls", "tokens", "minutes")},
        "budget": limits(options),
        "budget_share": _share(options, len(rows)),
        "pace": {operation: asdict(pace) for operation, pace in paces.items()},
        "prompt": prompt.preview() if prompt else None,
        "prompt_tokens": prompted[0].prompt_tokens if prompted else 0,
    }


def _asked(plan: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what would be asked as lines of text, the prompt last."""
    lines = [f"{plan['model']} would be asked, at most, unless it answered the same before:"]
    lines += [
        f"  {row['task']}: {row['proposals']:,} proposals for {row['drafts']:,} drafts, "
        f"{row['answers']:,} answers to {row['questions']:,} questions; {_size(row)}"
        for row in rows
    ]
    lines.append(f"  in all {_size(plan)}")
    for name, most in plan["budget"].items():
        lines += (
            []
            if most is None
            else [f"  small.{name} ends it after {most:,.10g}{_shared(plan, name, len(rows))}"]
        )
    for operation, each in (("generate", "a proposal"), ("score", "an answer")):
        lines.append(f"  {_paced(plan['pace'][operation], each)}")
    if plan["prompt"]:
        lines += ["", f"The first prompt, of about {plan['prompt_tokens']:,} tokens:", "", plan["prompt"]]
    return lines


def _share(options: SmallSettings, tasks: int) -> dict[str, float | None]:
    """Return what the first of the tasks may use of each limit, as the search will share them out."""
    from kdsl_cli.backends.budget import Budget

    share, minutes = Budget(options.max_calls, options.max_tokens).share(tasks), options.max_minutes
    return {
        "max_calls": share.max_calls,
        "max_tokens": share.max_tokens,
        "max_minutes": None if minutes is None else minutes / tasks,
    }


def _shared(plan: Mapping[str, Any], name: str, tasks: int) -> str:
    if tasks == 1:
        return ""
    first = plan["budget_share"][name]
    return (
        f" in all: at most {first:,.10g} for the first of the {tasks} tasks, then equal parts of what is left"
    )


def _size(row: Mapping[str, Any]) -> str:
    return f"{row['calls']:,} calls, {row['tokens']:,} tokens, {row['minutes']:,.1f} minutes"


def _paced(pace: Mapping[str, Any], each: str) -> str:
    known = f"the mean of {pace['calls']:,} calls" if pace["calls"] else "assumed, none was measured here yet"
    return f"{pace['seconds']:.2g} s {each} ({known})"
