"""The program `kdsl`: its verbs, its global options, and the only place where an error becomes an exit code.

| exit code | meaning |
|---|---|
| 0 | done, or up to date |
| 1 | the input was valid, the check ran, and its answer is no |
| 2 | the command line, the settings or an input is wrong |
| 101 | a defect of KDSL itself |
| 130 | interrupted; the same command goes on from where it was |
| 141 | whoever read the output (`head`, say) went away |

This module and the modules of the verbs import nothing heavy, so that every verb begins at once.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from kdsl_cli import __version__
from kdsl_cli.commands import console, logs
from kdsl_cli.commands.verbs import CarriedError, Verbs
from kdsl_cli.commands.workspace import layout as workspace
from kdsl_cli.errors import KdslError

_USAGE, _INTERNAL_ERROR, _INTERRUPTED, _BROKEN_PIPE = 2, 101, 130, 141


app = typer.Typer(
    name="kdsl",
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich alone takes twice the time of everything else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="The options above may stand before or after the verb.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"kdsl {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only ids and paths.")] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Tell more; repeatable.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    config_file: Annotated[
        Path | None, typer.Option(help="Settings to use, in place of the nearest kdsl.yaml upwards.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find rules a person can read, tune a model on the rest, and let them decide together."""
    if quiet and json:
        raise typer.BadParameter("--quiet and --json are two forms of the same result: give one")
    console.set_output(console.Output("quiet" if quiet else "json" if json else "human", verbose))
    logs.hear(verbose)
    workspace.set_config_file(config_file)


def main() -> None:
    """Run the program on this process's command line, and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the program on `arguments` and return its exit code; no exception leaves it."""
    console.set_argv(("kdsl", *arguments))
    words = _globals_first(arguments)
    try:
        code = _invoke(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # Python flushes stdout once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except Exception as error:
        if _was_interrupted(error):
            return _interrupted()
        if "--debug" in words:
            traceback.print_exc()
        return _report(error)


def _invoke(words: Sequence[str]) -> int:
    try:
        app(args=words, prog_name="kdsl")
    except SystemExit as end:  # how Typer ends, with or without an error of usage, which it prints
        return end.code if isinstance(end.code, int) else 0
    except CarriedError as carried:
        raise carried.error from None
    return 0


def _interrupted() -> int:
    # With --force the same command would start anew instead of going on.
    again = shlex.join(word for word in console.current_argv() if word != "--force")
    console.current_output().error(f"interrupted. To go on: {again}")
    return _INTERRUPTED


def _was_interrupted(error: BaseException | None) -> bool:
    """Tell whether Ctrl-C is behind an error: one that hits an import comes out as the library's own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _report(error: Exception) -> int:
    output = console.current_output()
    if isinstance(error, KdslError):
        for problem in error.problems:
            output.error(problem.render())
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:  # a full disk, a folder that may not be written to
        place = f"{error.filename}: " if error.filename else ""
        output.error(f"{place}{error.strerror}")
        return _USAGE
    told = " ".join(f"{type(error).__name__}: {error}".split())
    output.error(f"internal error: {told}. Run again with --debug for the traceback")
    return _INTERNAL_ERROR


def _globals_first(arguments: Sequence[str]) -> list[str]:
    """Move the global options to the front, so that they may stand after the verb too.

    These names are reserved: no verb may use them for something else. What follows ``--`` stays.

    Examples
    --------
    >>> _globals_first(["eval", "--split", "test", "--json", "--config-file", "a.yaml"])
    ['--json', '--config-file', 'a.yaml', 'eval', '--split', 'test']
    """
    flags = {"-q", "--quiet", "--verbose", "--json", "--debug", "--version"}
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in flags or word.startswith("--config-file=") or word.rstrip("v") == "-":
            front.append(word)
        elif word == "--config-file":
            front += [word, *[value for value in [next(words, None)] if value is not None]]
        else:
            rest.append(word)
    return front + rest
