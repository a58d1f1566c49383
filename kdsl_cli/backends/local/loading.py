"""From a spec to a model in memory: which weights exactly, quantised where asked, and nothing else quantised.

Language models bear 4 bits well; the vision tower, what carries its features over, and the head do not, and
are small. Their names differ from family to family, so they are found, not listed: everything with linear
layers that lies outside the language model. After loading it is checked that they were left alone.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kdsl_cli import extras
from kdsl_cli.backends.local.soft_prompts import put_in_front
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.errors import BackendError
from kdsl_cli.runs.hashing import sha256_path

_log = logging.getLogger(__name__)

_HUB_ID: Final = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_QUANTISED: Final = ("Linear4bit", "Linear8bitLt")
_FILES: Final = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors")


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights lie, and which they are.

    Attributes
    ----------
    folder
        With the weights.
    name
        Of the model as others may know it: a hub id, or the folder's own name without the way to it.
    revision
        The commit of a hub id. Of a folder, "sha256:" and the hash of the names and contents of its files, so
        that other weights under the same path are another revision.
    """

    folder: Path
    name: str
    revision: str


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


def find(name: str, revision: str | None) -> Source:
    """Return where the weights called `name` lie on this machine, fetched from the hub if need be.

    A folder has no history; a revision asked of it is the beginning of its content's hash.

    Raises
    ------
    BackendError
        If there is neither such a folder nor such a model, or the folder holds another revision.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        held = f"sha256:{sha256_path(folder)}"
        if revision and not held.removeprefix("sha256:").startswith(revision.removeprefix("sha256:")):
            raise BackendError(
                f"its contents are revision {held}, not {revision}",
                where=name,
                fix="Leave out '@' to take it as it is",
            )
        return Source(folder, folder.resolve().name, held)
    if not _HUB_ID.fullmatch(name):
        raise BackendError(
            "there is no such folder",
            where=name,
            allowed="the folder of a checkpoint, or the id of one on the Hugging Face hub",
            fix="To try without a download: kdsl tiny-model DIR",
        )
    return _fetched(name, revision)


def outside_language_model(model: Any) -> tuple[str, ...]:
    """Return the names of the topmost modules with linear layers that lie outside the language model.

    For Qwen2-VL: ``lm_head`` and ``model.visual``, the latter with its merger.

    Raises
    ------
    BackendError
        If there are none, or no language model is found in it.
    """
    decoder = model.get_decoder()
    inside = next((name for name, module in model.named_modules() if module is decoder), "")
    if not inside:
        raise BackendError(f"no language model is found in {type(model).__name__}", fix="Use quant: none")
    names = set()
    for name, module in model.named_modules():
        if type(module).__name__ == "Linear" and not f"{name}.".startswith(f"{inside}."):
            parts = name.split(".")
            tops = (".".join(parts[: length + 1]) for length in range(len(parts)))
            names.add(next(top for top in tops if not f"{inside}.".startswith(f"{top}.")))
    if not names:
        raise BackendError(f"no vision tower is found in {type(model).__name__}", fix="Use quant: none")
    return tuple(sorted(names))


def check_quantised(model: Any, kept: tuple[str, ...]) -> int:
    """Return how many layers are quantised.

    Raises
    ------
    BackendError
        If none is, or one of those in the modules `kept`.
    """
    quantised = [name for name, part in model.named_modules() if type(part).__name__ in _QUANTISED]
    wrong = [name for name in quantised if any(f"{name}.".startswith(f"{top}.") for top in kept)]
    if wrong or not quantised:
        raise BackendError(
            f"{len(wrong)} layers were quantised that must not be: {', '.join(wrong[:3])}"
            if wrong
            else f"no layer of {type(model).__name__} was quantised",
            fix="Use quant: none",
        )
    return len(quantised)


def _model(folder: Path, quant: str, device: Any, dtype: Any) -> Any:
    import torch

    automatic: Any = _transformers().AutoModelForImageTextToText
    settings: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}, "local_files_only": True}
    if quant == "none":
        return automatic.from_pretrained(folder, **settings)
    config = _transformers().AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        kept = outside_language_model(automatic.from_config(config))
    settings["quantization_config"] = _quantisation(quant, dtype, kept)
    model = automatic.from_pretrained(folder, **settings)
    count = check_quantised(model, kept)
    _log.info("%s: %d layers in %s; left alone: %s", folder.name, count, quant, ", ".join(kept))
    return model


def _quantisation(quant: str, dtype: Any, kept: tuple[str, ...]) -> Any:
    if quant == "int8":
        logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)  # a line at each layer
        # Without a threshold: with one, which columns are large would be asked of the whole batch, and the
        # rows of a batch would change each other's answers.
        return _transformers().BitsAndBytesConfig(
            load_in_8bit=True, llm_int8_threshold=0.0, llm_int8_skip_modules=list(kept)
        )
    return _transformers().BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=list(kept),
    )


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


def _fetched(name: str, revision: str | None) -> Source:
    hub: Any = extras.require("huggingface_hub", extra="local", feature="a model of the hub")
    try:
        folder = Path(hub.snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        raise BackendError(
            f"is not on this machine and cannot be fetched ({type(error).__name__})",
            where=f"{name}@{revision}" if revision else name,
            fix="Check the name, and HF_HUB_OFFLINE; or give a folder; to try: kdsl tiny-model DIR",
        ) from error
    return Source(folder, name, folder.name)  # a snapshot's folder is called as its commit


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
