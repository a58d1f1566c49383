"""``kdsl train-large``: train the model that decides where rules are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings

LINEAR, LOCAL = "linear", "local:"


def _tuning(help: str, *names: str) -> Any:
    """Return an option of a model that is tuned; what is not given is what the settings say."""
    return typer.Option(*names, help=f"local: {help}", show_default=False)


def command(
    large: Annotated[
        str | None,
        typer.Option(help="What to train: linear, or local:PATH_OR_ID[@REVISION].", show_default=False),
    ] = None,
    adopt: Annotated[
        bool | None,
        _tuning("Learn nothing: take in the adapter of local:BASE+ADAPTER, tuned elsewhere.", "--adopt"),
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
    preset: Annotated[str | None, _tuning("Memory of the device: 12g, 24g, 48g or 80g.")] = None,
    head: Annotated[bool, _tuning("Learn a classifier on the last token, not answers.", "--head")] = False,
    prompt: Annotated[bool, _tuning("Learn vectors before the prompt alone.", "--prompt")] = False,
    full: Annotated[bool, _tuning("Learn all weights of the language model.", "--full")] = False,
    quant: Annotated[str | None, _tuning("How weights are kept: nf4, int8 or none.")] = None,
    max_pixels: Annotated[int | None, _tuning("Pixels of a picture, at most; in prediction too.")] = None,
    max_length: Annotated[int | None, _tuning("Tokens of a sample, at most; none is ever cut.")] = None,
    on_long: Annotated[str | None, _tuning("Samples that do not fit: error, or drop, told by name.")] = None,
    micro_batch: Annotated[int | None, _tuning("Samples on a device at once: memory and speed.")] = None,
    checkpointing: Annotated[
        bool | None, _tuning("Less memory, more time.", "--checkpointing/--no-checkpointing")
    ] = None,
    epochs: Annotated[int | None, _tuning("Passes over the samples, at most.")] = None,
    batch: Annotated[int | None, _tuning("Samples a step.")] = None,
    learning_rate: Annotated[float | None, _tuning("At its highest.")] = None,
    rank: Annotated[int | None, _tuning("Of the additions to each layer.")] = None,
    folds: Annotated[int | None, _tuning("Parts for scores out of fold, a tuning each; 0: none.")] = None,
    patience: Annotated[int | None, _tuning("Evaluations without a better F1 before it ends.")] = None,
    augment: Annotated[
        list[str] | None, _tuning("What changes: choices, turns, crop, colour, jpeg; may be repeated.")
    ] = None,
    rules: Annotated[bool | None, _tuning("Prompts tell which rules fire.", "--rules/--no-rules")] = None,
    reasons: Annotated[str | None, _tuning("File of reasons that are learnt too.")] = None,
    dry_run: Annotated[
        bool, _tuning("Only say how long samples are, what is learnt, and what it takes.", "--dry-run")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Train anew, whatever the folder holds.")] = False,
) -> None:
    """Train the large model on the training split, and score each of its dialogues out of fold.

    Ctrl-C saves, and the same command goes on.
    """
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    given = {
        "large": large,
        "adopt": adopt,
        "seed": seed,
        "preset": preset,
        "method": _method(head=head, prompt=prompt, full=full),
        "quant": quant,
        "max_pixels": max_pixels,
        "max_length": max_length,
        "on_long": on_long,
        "micro_batch": micro_batch,
        "checkpointing": checkpointing,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "rank": rank,
        "folds": folds,
        "patience": patience,
        "augment": augment or None,
        "rules": rules,
        "reasons": reasons,
    }
    named = {f"train.{name}": value for name, value in given.items()}
    settings = current_settings({**named, "mine.seed_rules": knowledge or None})
    if dry_run:
        _plan(settings)
    else:
        train_large(settings, force=force)


def train_large(settings: Settings, *, force: bool = False, replace: bool = False) -> None:
    """Do the stage `train` of this run's workspace, or say that it is up to date.

    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If the model cannot be trained here, or an input is missing, wrong or leaks.
    """
    from kdsl_cli.commands.train.linear import train_linear
    from kdsl_cli.commands.train.report import report
    from kdsl_cli.commands.train.tune import tune_large

    check_spec(settings.train.large)
    train = train_linear if settings.train.large == LINEAR else tune_large
    out = train(settings, force=force, replace=replace)
    if out is not None:
        report(out)


def shaping_options(settings: Settings) -> dict[str, Any]:
    """Return the options that shape the model, for a stage's key."""
    from kdsl_cli.commands.train import linear as train_linear
    from kdsl_cli.commands.train import tune

    if settings.train.large == LINEAR:
        return train_linear.shaping_options(settings)
    return tune.shaping_options(settings)


def check_spec(spec: str) -> None:
    """Do nothing if `spec` names a model that can be trained here.

    Raises
    ------
    ConfigError
        Naming what can be.
    """
    from kdsl_cli.errors import ConfigError, did_you_mean

    if spec == LINEAR or spec.startswith(LOCAL):
        return
    if spec.startswith(("http:", "scripted:")):
        what = f"'{spec}' cannot be trained: its weights are not on this machine"
        near = "To tune it elsewhere: kdsl data export --format sharegpt"
    else:
        what, near = f"unknown model '{spec}'", did_you_mean(spec, [LINEAR]) or ""
    raise ConfigError(what, where="train.large", allowed=f"{LINEAR}, {LOCAL}PATH_OR_ID", fix=near or None)


def _method(**chosen: bool) -> str | None:
    from kdsl_cli.errors import ConfigError

    names = [name for name, given in chosen.items() if given]
    if len(names) > 1:
        ways = " and ".join(f"--{name}" for name in names)
        raise ConfigError(f"{ways} are different ways to tune", fix="Give one of them")
    return names[0] if names else None


def _plan(settings: Settings) -> None:
    from kdsl_cli.commands.train.plan import show_plan
    from kdsl_cli.errors import ConfigError

    check_spec(settings.train.large)
    if settings.train.large == LINEAR:
        raise ConfigError("comes with --large local:PATH_OR_ID", where="--dry-run")
    show_plan(settings)
