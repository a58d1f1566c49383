"""The verbs of the program: where each is, what the help says of it, and how it is loaded."""

from __future__ import annotations

import importlib
import importlib.util
import re
from typing import Any, NamedTuple

import typer
import typer.core
import typer.main

from kdsl_cli.errors import did_you_mean


class Verb(NamedTuple):
    """Where a verb is: its module beside this one, its heading and line in the help, its function there.

    A module with a Typer `app` holds a verb with verbs below it, and `function` is not looked at. The line is
    how the function's docstring begins; it stands here so that ``kdsl --help`` need load no verb.
    """

    module: str
    heading: str
    line: str
    function: str = "command"


VERBS: dict[str, Verb] = {
    "run": Verb(
        "run.run",
        "The chain",
        "Do every stage that is not up to date, from reading the pictures to the score of a split.",
    ),
    "extract": Verb(
        "extract.extract",
        "The chain",
        "Read the pictures and texts of the dialogues into facts, and answer what the rules ask.",
    ),
    "mine-rules": Verb(
        "mine.mine",
        "The chain",
        "Search rules for every intent in the training split.",
    ),
    "prune-rules": Verb(
        "mine.prune",
        "The chain",
        "Drop rules and predicates that do not pay for themselves, and weigh the rest out of fold.",
    ),
    "export-rules": Verb(
        "mine.export",
        "The chain",
        "Write rules/TASK.yaml: mined rules are replaced, what a person wrote or reviewed stays.",
    ),
    "train-large": Verb(
        "train.train",
        "The chain",
        "Train the large model on the training split, and score each of its dialogues out of fold.",
    ),
    "predict": Verb(
        "predict.predict",
        "The chain",
        "Let rules and the large model decide together, and say of each dialogue who did.",
    ),
    "eval": Verb(
        "judge.evaluate", "The chain", "Score rules, model and both together, and write the page to look at."
    ),
    "report": Verb(
        "judge.report",
        "What came of it",
        "Write the page to look at: how good it is, where it fails, and why each was decided so.",
    ),
    "export-model": Verb(
        "train.export_model",
        "What came of it",
        "Write the tuned model for other programs.",
    ),
    "explain": Verb(
        "judge.explain",
        "What came of it",
        "Show why a dialogue was decided so.",
    ),
    "compare": Verb(
        "judge.compare",
        "What came of it",
        "Say whether a run is better than another, whether the rows can tell, and where the two differ.",
    ),
    "mislabelled": Verb(
        "intake.mislabelled",
        "What came of it",
        "List training dialogues whose label is likely wrong, to be looked at and labelled again.",
    ),
    "rules": Verb("desk.app", "The rules", "Check, try, compare and write rules."),
    "schema": Verb(
        "workspace.schema",
        "The rules",
        "Print a JSON Schema, or let editors check and complete the files of this workspace.",
    ),
    "init": Verb(
        "workspace.init",
        "Workspace and data",
        "Make a workspace: settings, a catalogue to fill in, folders for data and rules.",
    ),
    "data": Verb("intake.app", "Workspace and data", "Import, check, split, count and export dialogues."),
    "relabel": Verb(
        "intake.relabel",
        "Workspace and data",
        "Put new labels into the data and its splits; who is in which split stays as it is.",
    ),
    "write-reasons": Verb(
        "train.reasons",
        "Workspace and data",
        "Let a model write why each training dialogue has its intent, for train-large --reasons.",
    ),
    "demo": Verb(
        "run.demo",
        "Workspace and data",
        "Try everything on a generated shop: make a workspace, do every stage, print the score.",
    ),
    "calls": Verb(
        "models.calls",
        "Workspace and data",
        "Show what models were asked, what was remembered, and what it cost.",
    ),
    "tiny-model": Verb(
        "models.tiny_model",
        "This installation",
        "Make a tiny Qwen2-VL checkpoint with random weights.",
    ),
    "env": Verb(
        "doctor.environment",
        "This installation",
        "Say what is installed, to paste into a report.",
        "env",
    ),
    "doctor": Verb(
        "doctor.doctor",
        "This installation",
        "Check the installation and the workspace; exit code 1 if a check fails.",
    ),
}
"""Every verb, in the order of the help."""


class Verbs(typer.core.TyperGroup):
    """The table above as a command group. Verbs are loaded when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the verbs whose modules are there."""
        return [verb for verb, at in VERBS.items() if importlib.util.find_spec(_path(at.module))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a verb, loaded; None if there is none of the name."""
        known = self.list_commands(ctx)
        # Of an unknown word Typer searches `self.commands` for a near one: give it all.
        for verb in [cmd_name] if cmd_name in known else known:
            if verb not in self.commands:
                self.commands[verb] = _load(verb)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs under their headings."""
        listed = self.list_commands(ctx)
        for heading in dict.fromkeys(verb.heading for verb in VERBS.values()):
            verbs = [verb for verb in listed if VERBS[verb].heading == heading]
            if verbs:
                with formatter.section(heading):
                    formatter.write_dl([(verb, VERBS[verb].line) for verb in verbs])

    def invoke(self, ctx: Any) -> Any:
        """Do a verb.

        Raises
        ------
        CarriedError
            If it was interrupted, or nobody reads what it prints.
        typer.BadParameter
            If an option cannot be what it is said to be; a near choice is named.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _with_near_choice(error.message)
            raise
        except (KeyboardInterrupt, BrokenPipeError) as error:
            # Typer would make exit codes of its own of these; carried past it they reach `run`.
            raise CarriedError(error) from error


class CarriedError(Exception):
    """An end of the program that Typer must not see; `error` is it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _with_near_choice(message: str) -> str:
    """Return Typer's message with the nearest choice, if it is about a word that is none of the choices.

    Examples
    --------
    >>> _with_near_choice("Value error, 'tset' is not one of 'train', 'val', 'test'.")
    "'tset' is not one of 'train', 'val', 'test'. Did you mean 'test'?"
    """
    told = message.removeprefix("Value error, ").rstrip(".")
    found = re.fullmatch(r"'(.*)' is not one of (.*)", told)
    if found is None:
        return message
    near = did_you_mean(found[1], re.findall(r"'(.*?)'", found[2]))
    return f"{told}. {near or ''}".rstrip()


def _load(verb: str) -> Any:
    module = importlib.import_module(_path(VERBS[verb].module))
    if hasattr(module, "app"):
        command = typer.main.get_command(module.app)
    else:
        single = typer.Typer(add_completion=False)
        single.command(verb)(getattr(module, VERBS[verb].function))
        command = typer.main.get_command(single)
    command.name = verb
    _plain(command)
    return command


def _plain(command: Any) -> None:
    command.rich_markup_mode = None
    for below in getattr(command, "commands", {}).values():
        _plain(below)


def _path(module: str) -> str:
    return f"kdsl_cli.commands.{module}"
