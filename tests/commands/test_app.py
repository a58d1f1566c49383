"""The program's manners: exit codes, streams, global options, and what it does not load."""

from __future__ import annotations

import importlib.util
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kdsl_cli import __version__
from kdsl_cli.commands.app import run
from kdsl_cli.commands.doctor import environment
from kdsl_cli.commands.verbs import VERBS, Verbs
from kdsl_cli.errors import CheckFailed, KdslError, Problem

HEAVY = (
    "torch", "transformers", "polars", "numpy", "sklearn", "scipy", "pydantic", "ruamel", "rapidocr",
    "onnxruntime", "PIL", "cv2",
)  # fmt: skip


@pytest.fixture
def env_raises(monkeypatch):
    """Let ``kdsl env`` raise what the test wants."""

    def arrange(error):
        def broken():
            raise error

        monkeypatch.setattr(environment, "environment", broken)

    return arrange


def test_help_lists_the_verbs_and_loads_none_of_them(child_environment):
    unwanted = [*HEAVY, *(f"kdsl_cli.commands.{verb.module}" for verb in VERBS.values())]
    script = (
        "import sys\nfrom kdsl_cli.commands.app import run\ncode = run(['--help'])\n"
        f"print(code, [name for name in {unwanted!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=child_environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    for verb in ("init", "env", "doctor"):
        assert f"\n  {verb}" in done.stdout


def test_every_listed_verb_has_help(capsys):
    run(["--help"])
    listed = [verb for verb in VERBS if f"\n  {verb} " in capsys.readouterr().out]
    for verb in listed:
        assert run([verb, "--help"]) == 0
        assert f"Usage: kdsl {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["rules", "data"])
def test_the_list_of_what_is_below_a_verb_is_cut_nowhere(verb, capsys):
    assert run([verb, "--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


def test_the_verbs_themselves_load_nothing_heavy(child_environment):
    script = (
        "import sys\nfrom kdsl_cli.commands.verbs import VERBS, Verbs\nverbs = Verbs()\n"
        "for verb in VERBS: verbs.get_command(None, verb)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=child_environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_says_of_a_verb_what_the_verb_says_itself():
    loaded = Verbs()
    for verb, at in VERBS.items():
        assert loaded.get_command(None, verb).help.startswith(at.line.removesuffix("."))


def test_version(kdsl):
    for arguments in (["--version"], ["env", "--version"]):
        done = kdsl(*arguments)
        assert (done.returncode, done.stdout) == (0, f"kdsl {__version__}\n")


def test_no_verb_is_a_question_for_help(kdsl):
    done = kdsl()
    assert done.returncode == 2
    assert "Usage: kdsl" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["docter"], "Did you mean 'doctor'?"),
        (["init", "--task", "a"], "--tasks"),
        (["env", "surplus"], "surplus"),
        (["eval", "--split", "tset"], "'tset' is not one of 'train', 'val', 'test'. Did you mean 'test'?"),
        (["rules", "stats", "--sort", "wrnog"], "Did you mean 'wrong'?"),
        (["eval", "--split", "zebra"], "'--split': 'zebra' is not one of 'train', 'val', 'test'.\n"),
        (["-q", "--json", "env"], "give one"),
        (["--config-file", "none.yaml", "extract"], "none.yaml: no such file. Check --config-file."),
    ],
)
def test_a_wrong_command_line_is_exit_code_2_on_stderr(kdsl, arguments, told):
    done = kdsl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_global_options_may_stand_before_or_after_the_verb(kdsl):
    before, after = kdsl("--json", "env"), kdsl("env", "--json")
    assert json.loads(before.stdout)["kdsl"] == __version__
    assert before.stdout == after.stdout


def test_after_two_dashes_nothing_is_a_global_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--", "--json"]) == 0
    assert (tmp_path / "--json" / "kdsl.yaml").is_file()


def test_the_problems_of_an_error_stand_on_stderr_one_a_line(env_raises, capsys):
    env_raises(KdslError([Problem("a.yaml:3", "unknown key", "x, y"), Problem("a.yaml:9", "no id")]))
    assert run(["env"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: a.yaml:3: unknown key. Allowed: x, y.\nerror: a.yaml:9: no id.\n"


def test_a_check_that_failed_has_its_own_exit_code(env_raises, capsys):
    env_raises(CheckFailed("content in two splits"))
    assert run(["env"]) == 1
    assert "content in two splits" in capsys.readouterr().err


def test_an_unforeseen_error_is_one_line_and_with_debug_a_traceback(env_raises, capsys):
    env_raises(ZeroDivisionError("division\nby zero"))
    assert run(["env"]) == 101
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: internal error: ZeroDivisionError: division by zero")
    assert "--debug" in line
    assert run(["env", "--debug"]) == 101
    assert "Traceback" in capsys.readouterr().err


def test_debug_shows_where_a_foreseen_error_came_from_too(env_raises, capsys):
    env_raises(CheckFailed("no"))
    assert run(["env", "--debug"]) == 1
    assert "in broken" in capsys.readouterr().err


def test_a_full_disk_is_no_internal_error(env_raises, capsys):
    env_raises(OSError(28, "No space left on device", "runs/mine/a"))
    assert run(["env"]) == 2
    assert capsys.readouterr().err == "error: runs/mine/a: No space left on device\n"


def test_ctrl_c_prints_the_command_that_goes_on(env_raises, capsys):
    env_raises(KeyboardInterrupt())
    assert run(["env", "-v", "--debug"]) == 130
    told = capsys.readouterr().err.strip()
    assert shlex.split(told.partition("go on: ")[2]) == ["kdsl", "env", "-v", "--debug"]


def test_ctrl_c_that_a_library_wraps_is_still_ctrl_c(env_raises, capsys):
    wrapped = ImportError("numpy could not be imported")
    wrapped.__cause__ = KeyboardInterrupt()
    env_raises(wrapped)
    assert run(["env"]) == 130
    assert "go on: kdsl env" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_exit_code_141_and_silence(child_environment):
    process = subprocess.Popen(
        [sys.executable, "-m", "kdsl_cli", "env"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.slow
def test_colours_are_for_those_who_want_them(kdsl):
    kdsl("init")
    assert "\x1b[31m" in kdsl("init", FORCE_COLOR="1").stderr
    assert "\x1b[31m" not in kdsl("init", FORCE_COLOR="1", NO_COLOR="1").stderr
    assert "\x1b" not in kdsl("init").stderr


def test_the_page_of_the_command_line_is_made_from_the_program_and_knows_when_it_is_stale(
    tmp_path, monkeypatch
):
    path = Path(__file__).parents[2] / "docs" / "generate_cli.py"
    spec = importlib.util.spec_from_file_location("generate_cli", path)
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    monkeypatch.setattr(generate, "TARGET", tmp_path / "cli.md")
    monkeypatch.setattr(sys, "argv", ["generate_cli.py", "--check"])
    assert generate.main() == 1
    monkeypatch.setattr(sys, "argv", ["generate_cli.py"])
    assert generate.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate_cli.py", "--check"])
    assert generate.main() == 0
    page = (tmp_path / "cli.md").read_text()
    assert "### kdsl init" in page
    assert "| 130 |" in page
    (tmp_path / "cli.md").write_text(page + "\n")
    assert generate.main() == 1
