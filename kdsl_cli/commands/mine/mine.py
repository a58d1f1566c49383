"""``kdsl mine-rules``: search rules for every intent, by Monte-Carlo tree search over what training shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.extract.training_data import TrainingData, load_seed_rules, load_training_data
from kdsl_cli.commands.models.small import (
    MaxCallsOption,
    MaxMinutesOption,
    MaxTokensOption,
    QuantOption,
    small_given,
)
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.runs.stage import Stage


def command(
    seed_rules: Annotated[
        list[str] | None,
        typer.Option(help="Rule file that competes as drafts; may be repeated.", show_default=False),
    ] = None,
    simulations: Annotated[
        int | None, typer.Option(help="Search steps for one intent, at most.", show_default=False)
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes for all intents, at most.", show_default=False)
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Steps without a better rule before a round ends.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed and data, same rules.", show_default=False)
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Intents searched at once.", show_default=False)] = None,
    small: Annotated[
        str | None,
        typer.Option(help="Model that proposes too: local:PATH, http:URL#MODEL ...", show_default=False),
    ] = None,
    quant: QuantOption = None,
    proposer: Annotated[
        str | None, typer.Option(help="statistical, model or mixed.", show_default=False)
    ] = None,
    max_calls: MaxCallsOption = None,
    max_tokens: MaxTokensOption = None,
    max_minutes: MaxMinutesOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be searched and asked, and show a prompt.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Mine anew, whatever the folder holds.")] = False,
) -> None:
    """Search rules for every intent in the training split; Ctrl-C saves, the same command goes on."""
    from kdsl_cli.commands.mine.plan import show_plan
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    given: dict[str, Any] = {
        "mine.seed_rules": seed_rules or None,
        "mine.simulations": simulations,
        "mine.minutes": minutes,
        "mine.patience": patience,
        "mine.seed": seed,
        "mine.workers": workers,
        "mine.proposer": proposer,
        **small_given(small, quant, max_calls, max_tokens, max_minutes),
    }
    settings = current_settings(given)
    if dry_run:
        show_plan(settings)
    else:
        mine(settings, force=force)


def mine(settings: Settings, *, force: bool = False, replace: bool = False) -> None:
    """Do the stage `mine` of the current workspace, or say that it is up to date.

    Raises
    ------
    KdslError
        If an input is missing, wrong or leaks.
    KeyboardInterrupt
        If it was stopped; the finished intents are kept and the same command goes on.
    """
    from kdsl_cli.commands.extract.rule_questions import short
    from kdsl_cli.commands.mine.proposing import unasked, uses_model
    from kdsl_cli.commands.mine.report import report
    from kdsl_cli.commands.mine.search import Search
    from kdsl_cli.evidence.questions import asked_by

    space = current_workspace()
    data = load_training_data(space, settings)
    seeds = load_seed_rules(space, settings.mine.seed_rules, data.catalogue)
    asked = {task: asked_by(rules) for task, rules in seeds.items()}
    if any(asked.values()) and not uses_model(settings):
        current_output().warn(short(asked, "the seed rules of mining"))
    if left_out := unasked(settings):
        current_output().note(left_out)
    stage = _stage(space, settings, data, force, replace)
    if stage.up_to_date():
        current_output().note("up to date")
    else:
        Search(space, settings, data, seeds).do(stage)
    report(space)


def shaping_options(settings: Settings) -> dict[str, Any]:
    """Return the options that shape what is found, for the stage's key: how many work at once does not."""
    from kdsl_cli.commands.mine.proposing import key_of

    config = {name: value for name, value in settings.mine.resolved().items() if name != "workers"}
    return {**config, **key_of(settings)}


def _stage(space: Workspace, settings: Settings, data: TrainingData, force: bool, replace: bool) -> Stage:
    from kdsl_cli.runs.stage import Stage

    options, config = settings.mine, shaping_options(settings)
    return Stage(
        "mine",
        space.mine_out,
        config=config,
        config_given=options.given(),
        inputs=[*data.files, *(space.path(name) for name in options.seed_rules)],
        seeds={"mine": options.seed},
        argv=current_argv(),
        force=force,
        replace=replace,
    )
