"""What CI runs: `nox` runs it all, `nox -s lint` one session, `nox -l` lists them.

Every session installs from constraints.txt, so that a run of today is the run of last month;
`nox -s constraints` refreshes that file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import nox

nox.options.sessions = [
    "lint", "types", "layers", "docs", "doctest", "demo", "tests_core", "tests", "browser",
]  # fmt: skip
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True

# Nothing is fetched but packages; and a test's matrices are too small to be worth more than one thread.
QUIET = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}

DEMO_LEAVES = (
    "rules/shop-page.yaml",
    "rules/shop-request.yaml",
    "runs/predict/test/predictions.parquet",
    "runs/eval/test/overall.parquet",
    "runs/eval/test/per_intent.parquet",
    "runs/eval/test/per_rule.parquet",
    "runs/eval/test/per_dialogue.parquet",
    "runs/eval/test/confusions.parquet",
    "runs/eval/test/report.html",
)


def install(session: nox.Session, *what: str) -> None:
    session.install("--quiet", "--constraint", "constraints.txt", *what)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and form of every Python file."""
    install(session, "ruff")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """The package under mypy --strict."""
    install(session, "--editable", ".[http,report]", "mypy")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Who may import whom: the contracts of pyproject.toml."""
    install(session, "import-linter")  # reads the source; what the package needs need not be there
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """docs/cli.md is as the program has it; links lead somewhere; quoted commands exist; rules are clean."""
    install(session, "--editable", ".")
    session.run("python", "docs/generate_cli.py", "--check")
    session.run("python", "docs/check_pages.py")
    session.run("kdsl", "rules", "lint", "rules/shop", "--catalogue", "data/shop/intents.yaml")


@nox.session
def doctest(session: nox.Session) -> None:
    """Every example in a docstring gives what it says."""
    install(session, "--editable", ".", "pytest")
    session.run("pytest", "--doctest-modules", "kdsl_cli", *session.posargs, env=QUIET)


@nox.session
def demo(session: nox.Session) -> None:
    """The main job as a user has it: from the wheel, outside the checkout, on the data that ships."""
    install(session, ".")
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        workspace = Path(folder) / "demo"
        session.run("kdsl", "demo", str(workspace))
        missing = [name for name in DEMO_LEAVES if not (workspace / name).is_file()]
        if missing:
            session.error(f"kdsl demo did not leave {', '.join(missing)}")


@nox.session
def tests_core(session: nox.Session) -> None:
    """All tests that the base installation can run; torch is not there to be missed."""
    install(session, "--editable", ".", "pytest", "hypothesis", "jsonschema")
    session.run("pytest", "-m", "not local", *session.posargs, env=QUIET)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, with every extra installed (about 6 GB with torch)."""
    install(session, "--editable", ".[dev,local,http,report]")
    session.run("pytest", "-m", "local or not local", *session.posargs, env=QUIET)


@nox.session
def browser(session: nox.Session) -> None:
    """The report in a real Chromium; Debian's is installed where there is none and we are root."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        if os.geteuid() or not shutil.which("apt-get"):
            session.skip("no Chromium here, and only root may install it: apt-get install chromium")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        session.run("apt-get", "update", "-qq", external=True, env=quiet)
        wanted = ("chromium", "fonts-noto-cjk")
        session.run(
            "apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted, external=True, env=quiet
        )
    install(session, "--editable", ".[report,browser]", "pytest")
    session.run("pytest", "tests/browser", *session.posargs, env={**QUIET, "KDSL_BROWSER": "required"})


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """The core tests with the oldest versions that pyproject.toml allows (not part of CI)."""
    session.install("uv")
    session.run(
        "uv", "pip", "install", "--resolution", "lowest-direct", "--editable", ".", "pytest>=8.3",
        "hypothesis>=6.110", "jsonschema>=4.20",
    )  # fmt: skip
    session.run("pytest", "-m", "not local", *session.posargs, env=QUIET)


@nox.session
def constraints(session: nox.Session) -> None:
    """Refresh constraints.txt: the newest versions for Python 3.11 and later, all extras."""
    session.install("uv")
    session.run(
        "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11",
        "--upgrade", "--quiet", "--custom-compile-command", "nox -s constraints", "--output-file",
        "constraints.txt", env={"UV_NO_CONFIG": "1"},
    )  # fmt: skip
