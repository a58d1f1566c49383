"""From a spec to a model in memory, with its processor and its adapter, and to what its answers depend on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdsl_cli import extras
from kdsl_cli.backends.local.finding import Source, find
from kdsl_cli.backends.local.quantising import check_quantised, outside_language_model, quantisation
from kdsl_cli.backends.local.soft_prompts import put_in_front
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.errors import BackendError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to answer, and what its answers depend on."""

    model: Any
    processor: Any
    identity: dict[str, str]


def load(spec: LocalSpec, options: BackendOptions) -> Loaded:
    """Load the model, its processor and its adapter.

    Raises
    ------
    BackendError
        If something is not there, does not fit together, or would be quantised that must not be.
    MissingExtra
        If a package of the `local` extra is not installed.
    """
    torch = _packages(options, spec)
    source = find(spec.path, spec.revision)
    adapter = find(spec.adapter, None) if spec.adapter else None
    device = _device(torch, options.device)
    dtype = _dtype(torch, device)
    model = _explained(source, lambda: _model(source.folder, options.quant, device, dtype))
    if adapter:
        model = _explained(adapter, lambda: _adapted(model, adapter.folder))
    processor = _explained(source, lambda: _processor(source.folder))
    identity = {
        "kind": "local",
        "model": source.name,
        "revision": source.revision,
        "adapter": adapter.revision if adapter else "none",
        "quant": options.quant,
        "dtype": str(dtype).removeprefix("torch."),
        "max_pixels": str(options.max_pixels),
        "device": device.type,
        "transformers": _transformers().__version__.partition(".")[0],
    }
    return Loaded(model.eval(), processor, identity)


def _model(folder: Path, quant: str, device: Any, dtype: Any) -> Any:
    import torch

    automatic: Any = _transformers().AutoModelForImageTextToText
    settings: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}, "local_files_only": True}
    if quant == "none":
        return automatic.from_pretrained(folder, **settings)
    config = _transformers().AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        kept = outside_language_model(automatic.from_config(config))
    settings["quantization_config"] = quantisation(quant, dtype, kept)
    model = automatic.from_pretrained(folder, **settings)
    count = check_quantised(model, kept)
    _log.info("%s: %d layers in %s; left alone: %s", folder.name, count, quant, ", ".join(kept))
    return model


def _adapted(model: Any, folder: Path) -> Any:
    peft: Any = extras.require("peft", extra="local", feature="an adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that it gave up
        wrapped = peft.PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    if not wrapped.active_peft_config.is_prompt_learning:
        return wrapped.get_base_model()  # with the adapter's layers in it
    if wrapped.active_peft_config.peft_type != "PROMPT_TUNING":
        raise ValueError(f"an adapter of the kind {wrapped.active_peft_config.peft_type} is not supported")
    put_in_front(model, wrapped)
    return model


def _processor(folder: Path) -> Any:
    processor = _transformers().AutoProcessor.from_pretrained(folder, local_files_only=True)
    if not getattr(processor, "image_processor", None) or not getattr(processor, "chat_template", None):
        raise ValueError("its processor has no image processor, or no chat template")
    if not processor.tokenizer("a", add_special_tokens=False)["input_ids"]:
        raise ValueError("its tokenizer is empty")  # what comes, without an error, where its file is missing
    return processor


def _packages(options: BackendOptions, spec: LocalSpec) -> Any:
    feature = "a local model"
    for name in ("torchvision", "transformers", "accelerate"):
        extras.require(name, extra="local", feature=feature)
    if options.quant != "none":
        extras.require("bitsandbytes", extra="local", feature=f"{options.section}.quant: {options.quant}")
    if spec.adapter:
        extras.require("peft", extra="local", feature="an adapter")
    _transformers().utils.logging.disable_progress_bar()
    return extras.require("torch", extra="local", feature=feature)


def _transformers() -> Any:
    return extras.require("transformers", extra="local", feature="a local model")


def _device(torch: Any, name: str | None) -> Any:
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # an unknown name; or torch without that device
        fix = "Leave it out to take the best there is"
        raise BackendError(f"the device '{name}' cannot be used", allowed="cuda, cpu", fix=fix) from error
    return device


def _dtype(torch: Any, device: Any) -> Any:
    if device.type != "cuda":
        return torch.float32  # CPUs without bfloat16 units compute it more slowly, and less exactly
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _explained(source: Source, load: Callable[[], Any]) -> Any:
    """Run one of the libraries' loaders; whatever it finds wrong with the files ends as one error of ours."""
    import torch

    try:
        return load()
    except BackendError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise BackendError(
            "there is no memory for its weights",
            where=source.name,
            fix="Use quant: nf4, or a smaller model",
        ) from error
    except Exception as error:  # OSError, ValueError, KeyError, SafetensorError, RuntimeError of shapes, ...
        reason = " ".join(str(error).split())[:200]
        raise BackendError(
            f"cannot be loaded: {type(error).__name__}: {reason}",
            where=source.name,
            fix="It must be a whole checkpoint of a model that reads pictures and text, with its processor",
        ) from error
