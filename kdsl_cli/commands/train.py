"""``kdsl train-large``: train the model that decides where rules are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kdsl_cli.commands.settings import Settings

LINEAR, LOCAL = "linear", "local:"

_TUNED = "Tuning (local:)"


def command(
    large: Annotated[
        str | None,
        typer.Option(help="What to train: linear, or local:PATH_OR_ID[@REVISION].", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed and data, same model.", show_default=False)
    ] = None,
    knowledge: Annotated[
        list[str] | None,
        typer.Option(
            help="linear: rule file not learnt from this data; may be repeated; mine.seed_rules by default.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Train anew, whatever the folder holds.")] = False,
) -> None:
    """Train the large model on the training split, and score each of its dialogues out of fold."""
    from kdsl_cli.commands.settings_sources import current_settings

    given = {"train.large": large, "train.seed": seed, "mine.seed_rules": knowledge or None}
    train_large(current_settings(given), force=force)


def train_large(settings: Settings, *, force: bool = False, replace: bool = False) -> None:
    """Do the stage `train` of this run's workspace, or say that it is up to date.

    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If the model cannot be trained here, or an input is missing, wrong or leaks.
    """
    from kdsl_cli.commands.train_linear import train_linear
    from kdsl_cli.commands.train_report import report

    check_spec(settings.train.large)
    report(train_linear(settings, force=force, replace=replace))


def shaping_options(settings: Settings) -> dict[str, Any]:
    """Return the options that shape the model, for a stage's key."""
    from kdsl_cli.commands import train_linear

    return train_linear.shaping_options(settings)


def check_spec(spec: str) -> None:
    """Do nothing if `spec` names a model that can be trained here.

    Raises
    ------
    ConfigError
        Naming what can be.
    """
    from kdsl_cli.errors import ConfigError, did_you_mean

    if spec == LINEAR:
        return
    if spec.startswith(("local:", "http:", "scripted:")):
        what, near = f"this version cannot train '{spec}'", f"Say: kdsl train-large --large {LINEAR}"
    else:
        what, near = f"unknown model '{spec}'", did_you_mean(spec, [LINEAR]) or ""
    raise ConfigError(what, where="train.large", allowed=LINEAR, fix=near or None)
