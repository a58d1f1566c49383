"""House rules no other tool holds: size and names of modules, one test command, pages that are true."""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import chain
from pathlib import Path

from kdsl_cli.logic.codec import loads
from kdsl_cli.logic.features import FEATURES
from kdsl_cli.logic.predicates import COUNTABLES, REGIONS, TEXT_FIELDS, VERBS
from kdsl_cli.logic.reading import RULE_KEYS
from kdsl_cli.logic.rule import STATUSES

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("kdsl_cli", "tests", "benchmarks", "docs", "data")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

LONGEST = 400
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "core", "base"}


def names(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_no_module_is_longer_than_a_reader_can_hold():
    assert len(MODULES) > 100
    assert names(path for path in MODULES if len(path.read_text("utf-8").splitlines()) > LONGEST) == []


def test_every_module_has_a_name_that_says_what_it_is():
    assert names(path for path in MODULES if NAMELESS & {path.stem, path.parent.name}) == []


def test_a_package_says_in_one_sentence_what_it_holds():
    def body(path):
        return ast.parse(path.read_text("utf-8")).body

    packages = sorted((ROOT / "kdsl_cli").rglob("__init__.py"))
    root, *below = packages
    assert names(path for path in below if len(body(path)) != 1) == []
    for path in packages:
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        assert said.endswith(".") and "\n" not in said, path
    assert len(body(root)) == 2  # its sentence and the version


def test_every_folder_of_python_below_the_package_is_a_package():
    folders = {path.parent for path in (ROOT / "kdsl_cli").rglob("*.py")}
    assert names(folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()) == []


def test_ci_runs_what_the_readme_tells_a_person_to_run():
    command = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()[-1]
    assert command.endswith("nox")
    assert f"\n{command}\n" in (ROOT / "README.md").read_text("utf-8")


def test_every_direct_dependency_has_its_version_in_the_constraints():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = chain(project["dependencies"], *project["optional-dependencies"].values())
    wanted = {line.split(">=")[0].replace(".", "-") for line in asked}
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert wanted - pinned == set()


def test_the_rules_that_the_pages_quote_can_be_read():
    header = 'schema: "kdsl.rules/1"\ntask: "image-scene"\nrules:\n'
    for page in ("README.md", "rules/README.md"):
        quoted = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
        bases = [loads(one if one.startswith("schema") else header + one, Path(page)) for one in quoted]
        assert [rule.id for base in bases for rule in base.rules] == ["refund-page-3f2a"]
    assert [rate.intent for base in bases for rate in base.base_rates] == ["order-detail", "coupon-page"]


def test_the_page_on_rules_names_every_word_of_the_grammar():
    page = (ROOT / "rules" / "README.md").read_text("utf-8")
    words = {*TEXT_FIELDS, *REGIONS, *VERBS, *COUNTABLES, *FEATURES, *STATUSES, *RULE_KEYS, "base_rates"}
    assert {word for word in words if f"`{word}`" not in page and f"`{word}:" not in page} == set()
