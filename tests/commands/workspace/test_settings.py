"""Settings: one order of precedence, and every wrong option told at once with its place."""

from __future__ import annotations

import pytest

from kdsl_cli.commands.workspace.settings import Section, Settings, descriptions, options
from kdsl_cli.commands.workspace.settings_sources import Given, current_settings, read_file, resolve
from kdsl_cli.errors import ConfigError


@pytest.fixture
def written(tmp_path, monkeypatch, quiet_environment):
    """Write a kdsl.yaml into the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "kdsl.yaml").write_text(text, encoding="utf-8")

    return write


def told(**overrides):
    with pytest.raises(ConfigError) as caught:
        current_settings(overrides)
    return [problem.render() for problem in caught.value.problems]


def test_without_a_workspace_the_defaults_hold(tmp_path, monkeypatch, quiet_environment):
    monkeypatch.chdir(tmp_path)
    assert current_settings() == Settings()


def test_command_line_before_environment_before_file_before_defaults(written, monkeypatch):
    written("mine: {seed: 1, folds: 3, patience: 10}\n")
    monkeypatch.setenv("KDSL_MINE_SEED", "2")
    monkeypatch.setenv("KDSL_MINE_FOLDS", "4")
    mine = current_settings({"mine.seed": 3, "mine.max_length": None}).mine
    assert (mine.seed, mine.folds, mine.patience) == (3, 4, 10)
    assert mine.max_length == Settings().mine.max_length
    assert mine.given() == {"seed": 3, "folds": 4, "patience": 10}
    assert mine.resolved() == Settings().mine.resolved() | mine.given()


def test_environment_values_are_read_as_yaml(written, monkeypatch):
    written("mine: {minutes: 3.0}\n")
    monkeypatch.setenv("KDSL_MINE_SEED_RULES", "[a.yaml, b.yaml]")
    monkeypatch.setenv("KDSL_MINE_MINUTES", "null")
    mine = current_settings().mine
    assert (mine.seed_rules, mine.minutes) == (("a.yaml", "b.yaml"), None)


@pytest.mark.parametrize("text", ["", "# nothing\n", "mine:\n  # seed: 1\n"])
def test_empty_and_commented_out_is_not_given(written, text):
    written(text)
    assert current_settings() == Settings()


def test_all_that_is_wrong_is_told_at_once_with_its_line(written, monkeypatch):
    written(
        "mine:\n  simulations: 0\n  simulation: 3\n  folds: '5'\n  seed_rules: a.yaml\n  minutes: -1\n"
        "  seed: true\n"
        "predict:\n  strategy: log-ods\nsplits: {train: 0.5}\nextract: [1]\nmien: {}\n"
    )
    monkeypatch.setenv("KDSL_TRAIN_SEED", "many")
    assert told(**{"eval.bootstrap": 0}) == [
        "--bootstrap: eval.bootstrap is 0. Allowed: 1 or more.",
        "KDSL_TRAIN_SEED: train.seed is 'many'. Allowed: a whole number.",
        "kdsl.yaml:2: mine.simulations is 0. Allowed: 1 or more.",
        f"kdsl.yaml:3: unknown key 'simulation' in mine. Allowed: {', '.join(options()['mine'])}. "
        "Did you mean 'simulations'?",
        "kdsl.yaml:4: mine.folds is '5'. Allowed: a whole number.",
        "kdsl.yaml:5: mine.seed_rules is 'a.yaml'. Allowed: a list.",
        "kdsl.yaml:6: mine.minutes is -1. Allowed: more than 0.",
        "kdsl.yaml:7: mine.seed is True. Allowed: a whole number.",
        "kdsl.yaml:9: predict.strategy is 'log-ods'. Allowed: 'rules', 'large', 'rules-first' or 'log-odds'. "
        "Did you mean 'log-odds'?",
        "kdsl.yaml:10: splits: train, val and test must add up to 1, not 0.9.",
        "kdsl.yaml:11: extract is [1]. Allowed: options, one a line, below it.",
        f"kdsl.yaml:12: unknown key 'mien'. Allowed: {', '.join(options())}. Did you mean 'mine'?",
    ]


def test_a_wrong_value_is_told_from_where_it_was_given_last(written, monkeypatch):
    written("mine: {folds: 5}\n")
    monkeypatch.setenv("KDSL_MINE_FOLDS", "1")
    assert told() == ["KDSL_MINE_FOLDS: mine.folds is 1. Allowed: 2 or more."]


def test_a_misspelt_variable_is_told_and_one_of_another_kind_left_alone(written, monkeypatch):
    written("")
    monkeypatch.setenv("KDSL_MINE_SIMULATION", "3")
    monkeypatch.setenv("KDSL_HOME", "x")
    (line,) = told()
    assert line.startswith("KDSL_MINE_SIMULATION: ")
    assert "Did you mean 'KDSL_MINE_SIMULATIONS'?" in line


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"mine: {seed: 1}\ntrain: {}\nmine: {seed: 2}\n", 3),
        (b"mine:\n  seed: 1\n  seed: 2\n", 3),
        (b"mine:\n\tseed: 1\n", 2),
        (b"- mine\n", 1),
        (b"mine\n", 1),
    ],
)
def test_what_is_no_mapping_of_sections_is_named_by_line(tmp_path, content, line):
    path = tmp_path / "kdsl.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert caught.value.problems[0].where == f"{path}:{line}"


@pytest.mark.parametrize("content", [b"mine: \xff\xfe\n", b"mine: \x00\n"])
def test_what_is_no_text_is_an_error_with_the_path(tmp_path, content):
    (tmp_path / "kdsl.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"kdsl\.yaml"):
        read_file(tmp_path / "kdsl.yaml")


def test_every_option_has_a_sentence():
    for section in options():
        assert all(descriptions(section).values()), section


def test_what_the_reader_of_pictures_was_measured_at_is_the_default():
    from kdsl_cli.evidence.ocr import MAX_SIDE

    assert Settings().extract.max_side == MAX_SIDE


def test_settings_cannot_be_changed_by_whoever_holds_them():
    settings: Section = resolve(Given(), {}, {}).mine
    with pytest.raises(ValueError, match="frozen"):
        settings.seed = 3
