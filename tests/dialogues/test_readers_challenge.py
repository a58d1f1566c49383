from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.readers.reading import read
from kdsl_cli.dialogues.schema import Dialogue, Turn

Make = Callable[..., Path]

SCENE = "Picture 1: <image>\n你是看图的人。已知的标签有: 甲, 乙。只写标签"
TALK = "你是听话的人。\n{start}\n{body}\n{end}\n只写标签"
BODY = "用户: 裤子短了\n客服: \n用户：还能换吗 <http>\n   昨天买的\n客服:亲，可以的"
TURNS = (
    Turn("customer", "裤子短了"),
    Turn("service", ""),
    Turn("customer", "还能换吗 <http>\n   昨天买的"),
    Turn("service", "亲，可以的"),
)


def read_one(folder: Path, options: ReaderOptions | None = None, **row: object) -> Dialogue:
    path = folder / "train.json"
    path.write_text(json.dumps([{"id": "r1", **row}], ensure_ascii=False, indent=1), encoding="utf-8")
    options = options or ReaderOptions(check_pictures=False)
    (dialogue,) = read(path, options=options, max_errors=0).dialogues
    return dialogue


def problem_of(folder: Path, **row: object) -> str:
    path = folder / "train.json"
    path.write_text(json.dumps([{"id": "r1", **row}]), encoding="utf-8")
    (problem,) = read(path, format="challenge", options=ReaderOptions(check_pictures=False)).problems
    assert problem.where.startswith(f"{path}:1")
    return problem.render()


@pytest.mark.parametrize("pictures", [{"image": ["p.png"]}, {"image": "p.png"}, {"images": ["p.png"]}])
def test_a_picture_row_is_one_turn_of_pictures(tmp_path: Path, pictures: dict[str, object]) -> None:
    dialogue = read_one(tmp_path, instruction=SCENE, output="甲", **pictures)
    assert dialogue == Dialogue("r1", "image-scene", (Turn("customer", "<image>", ("p.png",)),), label="甲")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("START", "END"),
        ("对话内容：START", "END"),
        ("对话内容: START", "对话内容: END"),
        ("<START>", "<END>"),
        ("[START]", "[END] "),
        ("【START】：", "【END】"),
        ("<买卖双方的对话 START>", "<买卖双方的对话 END>"),
        ("（START）", "（END）请作答"),
        ("=== START ===", "=== END ==="),
        ("对话在START和END之间。\nSTART", "END"),
    ],
)
def test_a_dialogue_stands_between_the_markers(tmp_path: Path, start: str, end: str) -> None:
    instruction = TALK.format(start=start, body=BODY, end=end)
    dialogue = read_one(tmp_path, instruction=instruction, image=[])
    assert dialogue.turns == TURNS
    assert dialogue.task == "dialogue-intent"
    assert dialogue.label is None


def test_markers_may_share_a_line_with_turns_and_line_ends_be_windows(tmp_path: Path) -> None:
    dialogue = read_one(tmp_path, instruction="听：START 用户: 在吗\r\n客服: 在 <END>\r\n写")
    assert dialogue.turns == (Turn("customer", "在吗"), Turn("service", "在"))


def test_pictures_go_to_their_marks_and_the_list_before_the_dialogue_is_not_counted(tmp_path: Path) -> None:
    body = "用户: <image>\n客服: 看这里<image>\n用户: <image>"
    instruction = "Picture 1: <image>\nPicture 2: <image>\nPicture 3: <image>\n" + TALK.format(
        start="START", body=body, end="END"
    )
    dialogue = read_one(tmp_path, instruction=instruction, image=["1.png", "2.png", "3.png"])
    assert [turn.images for turn in dialogue.turns] == [("1.png",), ("2.png",), ("3.png",)]


def test_a_picture_named_only_before_the_dialogue_is_the_customers(tmp_path: Path) -> None:
    instruction = "Picture 1: <image>\n" + TALK.format(start="START", body="客服: 亲\n用户: 这个", end="END")
    dialogue = read_one(tmp_path, instruction=instruction, image="1.png")
    assert dialogue.turns == (Turn("service", "亲"), Turn("customer", "这个", ("1.png",)))


def test_the_dialogue_may_stand_in_the_input(tmp_path: Path) -> None:
    dialogue = read_one(tmp_path, instruction="听", input="START\n用户: 在吗\nEND", output=" 问候 ")
    assert dialogue.turns == (Turn("customer", "在吗"),)
    assert dialogue.label == "问候"


def test_the_tasks_can_be_named(tmp_path: Path) -> None:
    options = ReaderOptions(image_task="pictures", dialogue_task="talks", check_pictures=False)
    talk = TALK.format(start="START", body=BODY, end="END")
    assert read_one(tmp_path, options, instruction=SCENE, image=["a"]).task == "pictures"
    assert read_one(tmp_path, options, instruction=talk).task == "talks"
    options = ReaderOptions(task="all", check_pictures=False)
    assert read_one(tmp_path, options, instruction=talk).task == "all"


def test_pictures_are_looked_for_in_the_folder_images(tmp_path: Path, picture: Make) -> None:
    picture("images/p.png")
    dialogue = read_one(tmp_path, ReaderOptions(), instruction=SCENE, image=["p.png"])
    assert dialogue.images == ("images/p.png",)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"instruction": 3}, "'instruction' is a number"),
        ({}, "has no 'instruction'"),
        ({"instruction": SCENE}, "neither a picture nor a dialogue"),
        ({"instruction": SCENE, "image": ["a", "b"]}, "1 <image> in the instruction, but 2 pictures"),
        ({"instruction": SCENE, "image": [3]}, "'image' holds a number"),
        ({"instruction": SCENE, "image": ["a"], "images": ["a"]}, "both 'image' and 'images'"),
        ({"instruction": SCENE, "image": ["a"], "output": 3}, "'output' is a number"),
        ({"instruction": "START\n用户: 在吗"}, "no END"),
        ({"instruction": "听\n用户: 在吗\nEND"}, "no START"),
        ({"instruction": "START\nEND"}, "nothing between START and END"),
        ({"instruction": "START\n在吗\nEND"}, "begins with '在吗'"),
        (
            {"instruction": "START\n用户: <image>\nEND", "image": ["a", "b"]},
            "1 <image> in the text, but 2 pictures",
        ),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: dict[str, object], words: str) -> None:
    assert words in problem_of(tmp_path, **row)
