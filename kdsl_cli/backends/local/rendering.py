"""Prompts become tensors, one row each, and rows a batch.

Nothing is cut to fit: a prompt that is too long is refused. What the processor makes of a picture is counted,
so that a processor that resized it once more would be noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.pictures import MULTIPLE, Change, fit
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.errors import BackendError

_ANSWER: Final = "☃"  # stands in no template

IGNORED: Final = -100
"""The label of a token that is not learnt; torch's losses leave it out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt as the model takes it.

    Attributes
    ----------
    inputs
        Tensors by the names of the model's arguments; those that are a token each have shape (1, `length`).
    length
        Tokens, those of pictures among them.
    image_tokens
        Tokens that stand for pictures.
    pictures
        SHA-256 of each of its pictures, in order.
    """

    inputs: dict[str, Any]
    length: int
    image_tokens: int
    pictures: tuple[str, ...] = ()


class Renderer:
    """Writes prompts in the form one model was taught.

    Parameters
    ----------
    processor
        The model's own, with tokenizer, image processor and chat template.
    image_token
        Id of the token that stands for a piece of a picture. None: the family has none, and none are counted.
    max_pixels
        Budget of a picture.
    """

    def __init__(self, processor: Any, image_token: int | None, max_pixels: int) -> None:
        self._processor = processor
        self._image_token = image_token
        self._max_pixels = max_pixels
        self._special = sorted(processor.tokenizer.get_added_vocab(), key=len, reverse=True)
        images = processor.image_processor
        patch, merge = getattr(images, "patch_size", None), getattr(images, "merge_size", None)
        # Families whose pictures have one fixed form keep their own resizing.
        self._multiple = patch * merge if isinstance(patch, int) and isinstance(merge, int) else None
        self.end = self._end()
        pad = processor.tokenizer.pad_token_id
        self.pad = self.end if pad is None else int(pad)

    @classmethod
    def of(cls, loaded: Loaded, max_pixels: int) -> Renderer:
        """Return what renders for a model in memory, in prediction and in training alike."""
        config = loaded.model.config
        token = getattr(config, "image_token_id", getattr(config, "image_token_index", None))
        return cls(loaded.processor, token, max_pixels)

    def row(self, prompt: Prompt, change: Change | None = None) -> Row:
        """Return one prompt as tensors; `change` is done to each of its pictures before it gets its size.

        Raises
        ------
        PictureError
            If one of its pictures cannot be shown.
        BackendError
            If the processor made another number of tokens of the pictures than their sizes give.
        """
        multiple = self._multiple or MULTIPLE
        images = [fit(picture, self._max_pixels, multiple, change) for picture in prompt.pictures]
        settings: dict[str, Any] = {"images": images} if images else {}
        if images and self._multiple:
            settings["do_resize"] = False
        inputs = dict(self._processor(text=[self.text(prompt)], return_tensors="pt", **settings))
        token = self._image_token
        shown = 0 if token is None else int((inputs["input_ids"] == token).sum())
        expected = sum((image.width // multiple) * (image.height // multiple) for image in images)
        if self._multiple and token is not None and shown != expected:
            raise BackendError(
                f"the pictures of a prompt cost {shown} tokens where their sizes give {expected}: "
                "the model's processor resized them",
                fix="Report the model; its processor does not keep to do_resize=False",
            )
        pictures = tuple(picture.sha256 for picture in prompt.pictures)
        return Row(inputs, inputs["input_ids"].shape[1], shown, pictures)

    def plain(self, prompts: Sequence[Prompt]) -> list[Row]:
        """Return prompts without pictures as `row` does, in one call, which costs more than their text."""
        import torch

        if not prompts:
            return []
        texts = [self.text(prompt) for prompt in prompts]
        told = self._processor(text=texts, padding=False).items()
        each = [{name: torch.tensor([values[place]]) for name, values in told} for place in range(len(texts))]
        return [Row(inputs, inputs["input_ids"].shape[1], 0) for inputs in each]

    def text(self, prompt: Prompt) -> str:
        """Return a prompt in the form of the chat template, up to where the model's answer begins."""
        content: list[dict[str, str]] = []
        for place, part in enumerate(prompt.parts):
            if place:
                content.append({"type": "text", "text": "\n"})
            shown = {"type": "image"} if isinstance(part, Picture) else self._said(part)
            content.append(shown)
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if prompt.system:
            messages.insert(0, {"role": "system", "content": [self._said(prompt.system)]})
        return self._templated(messages, add_generation_prompt=True)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of an answer, without the one that ends it."""
        said = self._said(text)["text"]
        return list(self._processor.tokenizer(said, add_special_tokens=False)["input_ids"])

    def spelt(self, tokens: Sequence[int]) -> str:
        """Return what tokens say, special ones spelt out."""
        return str(self._processor.tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))

    def _said(self, text: str) -> dict[str, str]:
        """Return a piece of text; a special token spelt out in it stays text: it can end no turn."""
        for token in self._special:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return {"type": "text", "text": text}

    def _templated(self, messages: list[dict[str, Any]], **settings: Any) -> str:
        return str(self._processor.apply_chat_template(messages, tokenize=False, **settings))

    def _end(self) -> int:
        """Return the token that ends an answer: the first that the template writes behind one."""
        said = ((role, [{"type": "text", "text": _ANSWER}]) for role in ("user", "assistant"))
        text = self._templated([{"role": role, "content": content} for role, content in said])
        tail = text.rpartition(_ANSWER)[2]
        tokenizer = self._processor.tokenizer
        return int([*tokenizer(tail, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id][0])


def batched(rows: Sequence[Row], pad: int, device: Any) -> dict[str, Any]:
    """Join rows to one batch on `device`, padded on the left, so that all answers begin at the same place."""
    import torch

    longest = max(row.length for row in rows)
    joined: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in rows for name in row.inputs):
        parts = []
        for row in (row for row in rows if name in row.inputs):
            tensor = row.inputs[name]
            if tensor.shape == (1, row.length):
                value = {"input_ids": pad, "labels": IGNORED}.get(name, 0)
                tensor = torch.nn.functional.pad(tensor, (longest - row.length, 0), value=value)
            parts.append(tensor)
        joined[name] = torch.cat(parts).to(device)
    return joined


def followed(batch: dict[str, Any], tokens: Sequence[int]) -> dict[str, Any]:
    """Return a batch whose every row goes on with `tokens`."""
    import torch

    like = batch["input_ids"]
    more = torch.tensor(tokens, dtype=like.dtype, device=like.device).expand(like.shape[0], -1)
    added = {"input_ids": more, "attention_mask": torch.ones_like(more)}
    longer = dict(batch)
    for name, tensor in batch.items():
        if tensor.shape == like.shape:
            tail = added.get(name, torch.zeros_like(more)).to(tensor.dtype)
            longer[name] = torch.cat([tensor, tail], dim=1)
    return longer
