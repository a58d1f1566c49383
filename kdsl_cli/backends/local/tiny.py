"""A checkpoint in the form of Qwen2-VL, small enough to be made anywhere in seconds.

It is whole: weights, tokenizer, image processor and chat template lie in the folder as in a published
checkpoint, so that loading, quantising, scoring and generating run the path that a real model runs. Its
weights are random. It knows nothing, and what it answers says nothing about the method.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli import extras
from kdsl_cli.errors import BackendError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, Qwen2VLConfig

IMAGE, VIDEO, VISION_START, VISION_END = (
    "<|image_pad|>",
    "<|video_pad|>",
    "<|vision_start|>",
    "<|vision_end|>",
)
TURN_START, TURN_END, END = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
SPECIAL: Final = (END, TURN_START, TURN_END, VISION_START, VISION_END, IMAGE, VIDEO)

PATCH, MERGE = 14, 2

CHAT_TEMPLATE: Final = """\
{%- for message in messages %}
    {%- if loop.first and message['role'] != 'system' %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + message['role'] + '\\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for content in message['content'] %}
            {%- if content['type'] == 'image' or 'image' in content or 'image_url' in content %}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- elif 'text' in content %}
                {{- content['text'] }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
"""Qwen2-VL's, without videos."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a checkpoint is; all widths are multiples of 64, the block of NF4.

    Attributes
    ----------
    width, inner, layers, heads, key_heads
        Of the language model: hidden and inner width, depth, heads for queries and for keys.
    vision_width, vision_layers, vision_heads
        Of the vision tower.
    vocabulary
        Rows of the embedding; words beyond those of the tokenizer are never read.
    positions
        The longest prompt with its answer, in tokens.
    spread
        Standard deviation of the random weights.
    tied
        Whether the head shares the weights of the embedding.
    """

    width: int = 128
    inner: int = 256
    layers: int = 2
    heads: int = 4
    key_heads: int = 2
    vision_width: int = 64
    vision_layers: int = 2
    vision_heads: int = 4
    vocabulary: int = 2048
    positions: int = 32_768
    spread: float = 0.08
    tied: bool = True


TINY: Final = Shape()
QWEN2_VL_2B: Final = Shape(1536, 8960, 28, 12, 2, 1280, 32, 16, 151_936, 32_768, 0.02)
"""The shape of Qwen2-VL-2B-Instruct."""
QWEN2_VL_7B: Final = Shape(3584, 18_944, 28, 28, 4, 1280, 32, 16, 152_064, 32_768, 0.02, tied=False)
"""The shape of Qwen2-VL-7B-Instruct."""


def build(folder: Path, texts: Iterable[str] = (), *, seed: int = 0, shape: Shape = TINY) -> Path:
    """Write a checkpoint with random weights to `folder`, whole or not at all, and return `folder`.

    Parameters
    ----------
    folder
        Must not exist yet, or be empty.
    texts
        What the tokenizer learns its words from; without them every byte is a token, and prompts are long.
    seed
        Of the weights. The same seed, texts and shape give the same bytes.
    shape
        How large.

    Raises
    ------
    BackendError
        If something is there already.
    MissingExtra
        If a package of the `local` extra is not installed.
    """
    feature = "making a tiny model"
    torch = extras.require("torch", extra="local", feature=feature)
    extras.require("torchvision", extra="local", feature=f"{feature}, like every Qwen2-VL processor,")
    transformers = extras.require("transformers", extra="local", feature=feature)
    transformers.utils.logging.disable_progress_bar()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackendError("is there already", where=str(folder), fix="Give the name of a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
        made = Path(name) / "made"
        processor = _processor(texts, shape)
        processor.save_pretrained(made)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            random_model(config_of(shape, processor.tokenizer)).save_pretrained(made)
        made.replace(folder)  # onto an empty folder, or none
    return folder


def random_model(config: Qwen2VLConfig) -> PreTrainedModel:
    """Return a model of `config` with weights drawn from torch's global generator."""
    transformers: Any = extras.require("transformers", extra="local", feature="a model")
    model: PreTrainedModel = transformers.Qwen2VLForConditionalGeneration(config)
    text: Any = config.text_config
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=[text.eos_token_id, text.bos_token_id], pad_token_id=text.bos_token_id
    )
    return model


def config_of(shape: Shape, tokenizer: Any) -> Qwen2VLConfig:
    """Return the configuration of a model of `shape` that reads what `tokenizer` writes."""
    from transformers import Qwen2VLConfig

    known = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    half = shape.width // shape.heads // 2
    side = half * 3 // 8  # time, height and width share half a head as 2 : 3 : 3, as in the published models
    return Qwen2VLConfig(
        text_config={
            "vocab_size": max(shape.vocabulary, len(tokenizer)),
            "hidden_size": shape.width,
            "intermediate_size": shape.inner,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.key_heads,
            "max_position_embeddings": shape.positions,
            "initializer_range": shape.spread,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1_000_000.0,
                "mrope_section": [half - 2 * side, side, side],
            },
            "bos_token_id": known[END],
            "eos_token_id": known[TURN_END],
        },
        vision_config={
            "depth": shape.vision_layers,
            "embed_dim": shape.vision_width,
            "hidden_size": shape.width,
            "num_heads": shape.vision_heads,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "initializer_range": shape.spread,
        },
        image_token_id=known[IMAGE],
        video_token_id=known[VIDEO],
        vision_start_token_id=known[VISION_START],
        vision_end_token_id=known[VISION_END],
        tie_word_embeddings=shape.tied,
    )


def _processor(texts: Iterable[str], shape: Shape) -> Any:
    transformers: Any = extras.require("transformers", extra="local", feature="a processor")
    return transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(patch_size=PATCH, merge_size=MERGE),
        tokenizer=_tokenizer(texts, shape),
        video_processor=transformers.Qwen2VLVideoProcessor(patch_size=PATCH, merge_size=MERGE),
        chat_template=CHAT_TEMPLATE,
    )


def _tokenizer(texts: Iterable[str], shape: Shape) -> Any:
    """Learn byte-level pairs from `texts`: every byte is a token, so that every text has tokens."""
    tokenizers: Any = extras.require("tokenizers", extra="local", feature="a tokenizer")
    transformers: Any = extras.require("transformers", extra="local", feature="a tokenizer")
    learner = transformers.Qwen2Tokenizer(vocab={}, merges=[]).backend_tokenizer
    learner.train_from_iterator(
        texts,
        tokenizers.trainers.BpeTrainer(
            vocab_size=min(shape.vocabulary, TINY.vocabulary) - len(SPECIAL),
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    learnt = json.loads(learner.to_str())["model"]
    return transformers.Qwen2Tokenizer(
        vocab=learnt["vocab"],
        merges=[(left, right) for left, right in learnt["merges"]],
        eos_token=TURN_END,
        pad_token=END,
        unk_token=END,
        extra_special_tokens=list(SPECIAL),
        model_max_length=shape.positions,
    )
