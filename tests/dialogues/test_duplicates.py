from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kdsl_cli.dialogues.duplicates import Pair, components, fingerprints, pairs
from kdsl_cli.dialogues.schema import Dialogue, Turn

Make = Callable[..., Path]


def said(id: str, text: str, *images: str, role: str = "customer", group: str | None = None) -> Dialogue:
    return Dialogue(id, "t", (Turn(role, text, images),), group)  # type: ignore[arg-type]


def kinds(root: Path, *dialogues: Dialogue) -> list[str]:
    return [pair.kind for pair in pairs(fingerprints(dialogues, root))]


def test_the_same_turns_are_exact_duplicates_whatever_their_label(tmp_path: Path) -> None:
    assert kinds(tmp_path, said("a", "好的"), said("b", "好的")) == ["exact"]


def test_texts_that_differ_in_width_case_and_spaces_are_duplicates(tmp_path: Path) -> None:
    assert kinds(tmp_path, said("a", "我的 ＡＰＰ 打不开了呀"), said("b", "我的app打不开了呀")) == ["text"]


def test_short_texts_say_the_same_by_chance(tmp_path: Path) -> None:
    assert kinds(tmp_path, said("a", "好的，OK"), said("b", "好的,ok")) == []


def test_the_same_text_over_different_pictures_is_no_duplicate(tmp_path: Path, picture: Make) -> None:
    picture("a.png", 1), picture("b.png", 2)
    text = "<image>这个商品怎么还没有发货"
    assert kinds(tmp_path, said("a", text, "a.png"), said("b", text, "b.png")) == []


def test_the_bytes_of_a_picture_count_not_its_name(tmp_path: Path, picture: Make) -> None:
    picture("a.png", 1), picture("b.png", 1)
    one, other = said("a", "<image>", "a.png"), said("b", "<image>", "b.png")
    assert kinds(tmp_path, one, other) == ["exact"]
    assert kinds(tmp_path, one, said("b", "<image>看", "b.png")) == ["image"]


@pytest.mark.parametrize(("quality", "scale"), [(85, 1.0), (60, 1.0), (90, 0.5)])
def test_a_recompressed_or_smaller_picture_looks_the_same(
    tmp_path: Path, picture: Make, quality: int, scale: float
) -> None:
    with Image.open(picture("a.png", 1)) as original:
        big = original.resize((680, 640), Image.Resampling.NEAREST)
    big.save(tmp_path / "big.png")
    copy = big.resize((int(680 * scale), int(640 * scale)))
    copy.save(tmp_path / "copy.jpg", quality=quality)
    assert kinds(tmp_path, said("a", "", "big.png"), said("b", "", "copy.jpg")) == ["look"]


def test_plain_and_broken_pictures_have_no_look_in_common(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "white").save(tmp_path / "white.png")
    Image.new("RGB", (50, 50), "black").save(tmp_path / "black.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    names = ("white.png", "black.png", "broken.png", "gone.png", "gone too.png")
    assert kinds(tmp_path, *(said(name, "", name) for name in names)) == []


def test_a_picture_the_shop_sends_to_everyone_joins_nobody(tmp_path: Path, picture: Make) -> None:
    picture("size-chart.png", 1)
    dialogues = (
        Dialogue(id, "t", (Turn("customer", id), Turn("service", "<image>", ("size-chart.png",))))
        for id in ("a", "b")
    )
    assert kinds(tmp_path, *dialogues) == []


def test_a_group_is_one_component_and_chains_are_followed(tmp_path: Path) -> None:
    dialogues = (
        said("a", "第一句话说了很久很久", group="g"),
        said("b", "第二句话说了很久很久", group="g"),
        said("c", "第二句话说了很久很久!"),
        said("d", "第二句话说了很久很久！"),
        said("e", "别的"),
    )
    prints = fingerprints(dialogues, tmp_path)
    assert components(prints) == (("a", "b"), ("c", "d"), ("e",))
    joined = {**prints, "c": (*prints["c"], *prints["b"])}
    assert components(joined) == (("a", "b", "c", "d"), ("e",))


def test_each_dialogue_of_many_alike_is_paired_once() -> None:
    prints = dict.fromkeys("dbca", ("text:x",))
    assert pairs(prints) == (Pair("text", "a", "b"), Pair("text", "a", "c"), Pair("text", "a", "d"))
