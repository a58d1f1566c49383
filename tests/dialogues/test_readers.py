from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings

from kdsl_cli.dialogues import catalogue, jsonl
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.readers.reading import read, read_many
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.errors import DatasetError, Problem

from .generated import data_sets

Make = Callable[..., Path]
UNSEEN = ReaderOptions(check_pictures=False)
INTENTS = catalogue.loads("tasks: [{name: t, intents: [{name: 退款页面}, {name: 物流页面}]}]", "intents.yaml")


def row(id: object = "a", text: object = "hello", **other: object) -> dict[str, object]:
    turns = [{"role": "customer", "text": text, "images": []}]
    return {"id": id, "task": "t", "turns": turns, "group": None, "label": None, **other}


def only_problem(path: Path, **options: object) -> Problem:
    result = read(path, options=ReaderOptions(**options))  # type: ignore[arg-type]
    assert len(result.problems) == 1
    assert result.bad_rows == 1
    return result.problems[0]


@settings(max_examples=25)
@given(data_sets)
def test_what_is_dumped_is_read_back(tmp_path_factory: pytest.TempPathFactory, drawn: list[Dialogue]) -> None:
    path = tmp_path_factory.mktemp("canonical") / "d.jsonl"
    path.write_bytes(jsonl.dump(drawn).encode())
    result = read(path, options=UNSEEN, max_errors=0)
    assert list(result.dialogues) == sorted(drawn, key=lambda dialogue: dialogue.id)
    assert jsonl.dump(result.dialogues).encode() == path.read_bytes()


def test_a_byte_order_mark_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(row()).encode() + b"\r\n\r\n")
    assert [dialogue.id for dialogue in read(path, max_errors=0).dialogues] == ["a"]


def test_a_line_separator_inside_a_text_does_not_end_the_line(write_lines: Make) -> None:
    path = write_lines(row(text="one\u2028two\x85three"))
    assert read(path, max_errors=0).dialogues[0].turns[0].text == "one\u2028two\x85three"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('{"id": "b", "task": "t", "turns": [', "not JSON"),
        ("[1]", "the row is a list"),
        ('"text"', "the row is text"),
        ("[" * 100_000, "nested too deeply"),
        (row(id=None), "'id' is null"),
        (row(id=True), "'id' is true or false"),
        (row(id=" b"), "the id ' b'"),
        (row(task=None), "has no 'task'"),
        (row(task=3), "'task' is a number"),
        (row(label=""), "'label' is empty"),
        (row(labels="x"), "Did you mean 'label'?"),
        (row(turns=None), "'turns' is null"),
        (row(turns=[]), "has no turns"),
        (row(turns=["hi"]), "turn 1 is text"),
        (row(turns=[{"role": "client", "text": "a"}]), "unknown role 'client'"),
        (row(turns=[{"role": "custommer", "text": "a"}]), "Did you mean 'customer'?"),
        (row(turns=[{"role": "customer"}]), "has no 'text'"),
        (row(text=None), "'text' is null"),
        (row(text=" "), "all turns are empty"),
        (row(text="<image>"), "1 <image> in its text, but 0 pictures"),
        (row(text="a\0b"), "NUL"),
        ('{"id": "b", "task": "t", "turns": [{"role": "customer", "text": "\\ud800"}]}', "surrogate"),
        ('{"id": "b", "id": "c", "task": "t", "turns": []}', "a key stands twice"),
        ('{"id": "b", "task": "t", "turns": 1' + "0" * 5000 + "}", "not JSON"),
    ],
)
def test_a_bad_line_is_named_and_reading_goes_on(write_lines: Make, bad: object, words: str) -> None:
    path = write_lines(row(id="first"), bad, row(id="last"))
    result = read(path, format="canonical")
    assert [dialogue.id for dialogue in result.dialogues] == ["first", "last"]
    assert result.rows == 3
    (problem,) = result.problems
    assert problem.where.split(":")[:2] == [str(path), "2"]
    assert words in problem.render()


def test_the_place_of_a_problem_ends_in_the_id(write_lines: Make) -> None:
    path = write_lines(row(id="x1", text=" "))
    assert only_problem(path).where == f"{path}:1:x1"


def test_an_id_used_twice_names_both_places_across_files(write_lines: Make, tmp_path: Path) -> None:
    one, two = write_lines(row("a"), name="one.jsonl"), write_lines(row("b"), row("a"), name="two.jsonl")
    result = read_many([one, two], folder=tmp_path)
    assert [problem.where for problem in result.problems] == [f"{two}:2:a"]
    assert f"{one}:1:a" in result.problems[0].what


def test_an_unknown_label_or_task_gets_the_nearest_known_one(write_lines: Make) -> None:
    assert (
        "Did you mean '退款页面'"
        in only_problem(write_lines(row(label="退款页")), catalogue=INTENTS).render()
    )
    problem = only_problem(write_lines(row(task="u", label="退款页面")), catalogue=INTENTS)
    assert problem.what == "unknown task 'u'"
    assert problem.allowed == "t"


def test_pictures_are_found_beside_the_file_in_images_and_under_the_given_root(
    write_lines: Make, picture: Make, tmp_path: Path
) -> None:
    for name in ("a.png", "images/b.png", "elsewhere/c.png"):
        picture(name)
    turn = {"role": "customer", "text": "", "images": ["a.png", "b.png", "c.png"]}
    path = write_lines(row(turns=[turn]))
    options = ReaderOptions(image_root=tmp_path / "elsewhere")
    (dialogue,) = read(path, options=options, max_errors=0).dialogues
    assert dialogue.images == ("a.png", "images/b.png", "elsewhere/c.png")
    (moved,) = read_many([path], folder=tmp_path / "out", options=options, max_errors=0).dialogues
    assert moved.images == ("../a.png", "../images/b.png", "../elsewhere/c.png")


@pytest.mark.parametrize("name", ["gone.png", "http://shop/x.png", "x" * 5000, "folder"])
def test_a_picture_that_is_no_file_is_named(write_lines: Make, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    problem = only_problem(write_lines(row(turns=[{"role": "customer", "text": "", "images": [name]}])))
    assert name[:80] in problem.what
    assert str(tmp_path / "images") in (problem.allowed or "")


def test_a_single_picture_may_stand_without_a_list(write_lines: Make, picture: Make) -> None:
    picture("a.png")
    path = write_lines(row(turns=[{"role": "customer", "text": "", "images": "a.png"}]))
    assert read(path, max_errors=0).dialogues[0].images == ("a.png",)


def test_a_json_list_gives_the_line_on_which_each_element_begins(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    elements = [json.dumps(row(id), indent=2) for id in ("a", "b")] + [json.dumps(row("c", text=""))]
    path.write_text("\n[\n" + ",\n".join(elements) + "\n]\n")
    result = read(path)
    assert [dialogue.id for dialogue in result.dialogues] == ["a", "b"]
    line = path.read_text()[: path.read_text().index('{"id": "c"')].count("\n") + 1
    assert result.problems[0].where == f"{path}:{line}:c"


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "is empty"),
        (b" \n ", None, "is empty"),
        (b"\xef\xbb\xbf", None, "is empty"),
        (b"[]", None, "empty list"),
        (b"ok\n\xb4\xf3", 2, "not UTF-8"),
        ("[]".encode("utf-16"), 1, "UTF-16"),
        (b'[\n{"id": 1},\n{"id": 2', 3, "breaks"),
        (b'[\n{"id": 1}\n{"id": 2}]', 2, "no ',' or ']'"),
        (b'[\n{"id": 1}\n', 2, "no ',' or ']'"),
        (b'[{"id": 1}] []', 1, "more text"),
        (b'{\n"id": 1\n}', 1, "over several lines"),
        (b'{"colour": 1}', 1, "cannot tell the format"),
        (b"nonsense", 1, "not JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, content: bytes, line: int | None, words: str
) -> None:
    path = tmp_path / "d.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read(path)
    assert caught.value.problems[0].where == (str(path) if line is None else f"{path}:{line}")
    assert words in str(caught.value)


def test_a_folder_and_a_missing_file_are_errors(tmp_path: Path, write_lines: Make) -> None:
    write_lines(row(), name="dialogues.jsonl")
    with pytest.raises(DatasetError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(DatasetError, match=r"Did you mean 'dialogues.jsonl'"):
        read(tmp_path / "dialogue.jsonl")


def test_more_bad_rows_than_allowed_are_an_error_that_lists_twenty(write_lines: Make) -> None:
    path = write_lines(*(row(str(number), text="") for number in range(25)), row("good"))
    assert len(read(path).problems) == 25
    assert len(read(path, max_errors=25).dialogues) == 1
    with pytest.raises(DatasetError) as caught:
        read(path, max_errors=24)
    assert len(caught.value.problems) == 21
    assert str(caught.value).endswith("... and 5 more.")


def test_turns_may_be_empty_beside_others(write_lines: Make) -> None:
    turns = [{"role": "service", "text": ""}, {"role": "customer", "text": "在吗"}]
    (dialogue,) = read(write_lines(row(turns=turns)), max_errors=0).dialogues
    assert dialogue.turns == (Turn("service", ""), Turn("customer", "在吗"))


def test_pictures_are_found_from_a_folder_that_is_a_link(
    write_lines: Make, picture: Make, tmp_path: Path
) -> None:
    picture("a.png")
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep/er")
    path = write_lines(row(turns=[{"role": "customer", "text": "", "images": ["a.png"]}]))
    (dialogue,) = read_many([path], folder=tmp_path / "link", max_errors=0).dialogues
    assert (tmp_path / "link" / dialogue.images[0]).is_file()
