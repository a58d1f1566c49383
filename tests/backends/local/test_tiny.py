"""The tiny checkpoint is a whole one, the same bytes each time, and loads like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.backends.local.tiny import SPECIAL, build
from kdsl_cli.commands.models.tiny_model import shop_texts
from kdsl_cli.errors import BackendError
from kdsl_cli.runs.hashing import sha256_path

pytestmark = [pytest.mark.local, pytest.mark.slow]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    once, again = build(tmp_path / "once", shop_texts()), build(tmp_path / "again", shop_texts())
    other = build(tmp_path / "other", shop_texts(), seed=1)
    assert sha256_path(again) == sha256_path(once) != sha256_path(other)


def test_it_loads_through_the_automatic_classes_with_pictures_and_text(checkpoint: Path) -> None:
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    content = [{"type": "text", "text": "退款进度"}, {"type": "image"}]
    text = processor.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
    )
    inputs = processor(text=[text], images=[Image.new("RGB", (56, 84))], return_tensors="pt", do_resize=False)
    assert (inputs["input_ids"] == model.config.image_token_id).sum() == 2 * 3
    assert model(**inputs).logits.shape[-1] == model.config.text_config.vocab_size


def test_every_text_has_tokens_frequent_words_few_and_special_tokens_one(checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    odd = "退款 refund \u0000 \U0001f600 ﷽ \n\t"
    assert tokenizer.decode(tokenizer(odd)["input_ids"]) == odd
    assert len(tokenizer("退款")["input_ids"]) == 1
    assert [len(tokenizer(token)["input_ids"]) for token in SPECIAL] == [1] * len(SPECIAL)


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(BackendError, match="is there already"):
        build(tmp_path / "mine")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
