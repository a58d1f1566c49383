"""Models of other families, tiny, with random weights, and processors for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEXT: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.1,
}
VISION: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "initializer_range": 0.1}
MROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
OF_TOKENS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}


def later_qwen(config_name: str, checkpoint: Path) -> tuple[Any, Any]:
    """Return a Qwen2.5-VL or Qwen3-VL that reads with the tiny checkpoint's tokenizer."""
    import transformers

    processor: Any = transformers.AutoProcessor.from_pretrained(checkpoint)
    tokenizer = processor.tokenizer
    vision = VISION | {"depth": 2, "num_heads": 4, "out_hidden_size": 64}
    if config_name == "Qwen2_5_VLConfig":
        vision["fullatt_block_indexes"] = [1]
    else:
        vision["deepstack_visual_indexes"] = [0]
        processor = transformers.Qwen3VLProcessor(
            image_processor=type(processor.image_processor)(patch_size=16, merge_size=2),
            tokenizer=tokenizer,
            video_processor=transformers.Qwen3VLVideoProcessor(),
            chat_template=processor.chat_template,
        )
    config = getattr(transformers, config_name)(
        text_config=TEXT | {"vocab_size": len(tokenizer), "head_dim": 16, "rope_parameters": MROPE},
        vision_config=vision,
        **{name: tokenizer.convert_tokens_to_ids(token) for name, token in OF_TOKENS.items()},
    )
    return random_weights(config), processor


def llava(checkpoint: Path) -> tuple[Any, Any]:
    """Return a LLaVA: pictures of one size, positions of one kind, 16 tokens a picture."""
    import transformers

    qwen: Any = transformers.AutoProcessor.from_pretrained(checkpoint)
    vision = {"num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 56, "patch_size": 14}
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**VISION, **vision),
        text_config=transformers.Qwen2Config(**TEXT, vocab_size=len(qwen.tokenizer)),
        image_token_id=qwen.tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        vision_feature_layer=-1,
    )
    processor = transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessor(
            size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}
        ),
        tokenizer=qwen.tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        image_token="<|image_pad|>",
        num_additional_image_tokens=1,
        chat_template=qwen.chat_template,
    )
    return random_weights(config), processor


def random_weights(config: Any) -> Any:
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return transformers.AutoModelForImageTextToText.from_config(config).eval()
