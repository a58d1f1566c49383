"""A tuned model as one checkpoint: the adapter added into the weights, in bfloat16, never into fewer bits.

Weights in 4 or 8 bits have no room for what an adapter adds: most of it would be rounded away. So the base is
loaded as it was published, and a base that was published quantised is refused.
"""

from __future__ import annotations

import copy
import gc
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kdsl_cli import extras
from kdsl_cli.backends.local.finding import Source
from kdsl_cli.backends.local.fingerprint import fingerprint
from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.backends.spec import BackendOptions
from kdsl_cli.errors import BackendError
from kdsl_cli.training.lora.answers.record import TunedRecord

DTYPE: Final = "bfloat16"


@dataclass(frozen=True, slots=True)
class Joined:
    """A base with an adapter beside its weights; `wrapped` is the same as peft sees it."""

    loaded: Loaded
    wrapped: Any
    generation: Any


def join(base: Source, adapter: Path, device: str | None = None) -> Joined:
    """Load a base in bfloat16, and put the adapter beside its weights.

    Parameters
    ----------
    base
        From `loading.find`.
    adapter
        Folder of a LoRA adapter.
    device
        As torch names it. None: the best there is.

    Raises
    ------
    BackendError
        If the base is quantised, or base and adapter do not go together.
    MissingExtra
        If a package of the `local` extra is not installed.
    """
    peft: Any = extras.require("peft", extra="local", feature="merging an adapter")
    refuse_quantised(base)
    loaded = load(base, device)
    generation = copy.deepcopy(loaded.model.generation_config)  # a backend changes the model's own
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that it gave up
            wrapped = peft.PeftModel.from_pretrained(loaded.model, str(adapter), is_trainable=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        told = " ".join(str(error).split())[:200]
        raise BackendError(f"does not fit {base.name}: {told}", where=str(adapter)) from error
    return Joined(
        Loaded(wrapped.get_base_model().eval(), loaded.processor, loaded.identity), wrapped, generation
    )


def write(joined: Joined, folder: Path, record: TunedRecord) -> None:
    """Add the adapter into the weights, and write them with processor and template; `joined` is used up.

    Raises
    ------
    BackendError
        If an addition is not finite, or the processor that was written is not the one trained with.
    """
    try:
        merged = joined.wrapped.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise BackendError(f"the adapter cannot be merged: {error}") from error
    merged.generation_config = joined.generation
    merged.save_pretrained(folder)
    joined.loaded.processor.save_pretrained(folder)
    written = fingerprint(Renderer.of(Loaded(merged, _processor(folder), {}), record.max_pixels))
    if written != record.processor:
        raise BackendError(
            "the processor that was written is not the one trained with",
            where=str(folder),
            fix="Use the version of transformers that the model was trained with",
        )


def load(source: Source, device: str | None = None) -> Loaded:
    """Load a checkpoint in bfloat16, whatever the device would rather have."""
    torch: Any = extras.require("torch", extra="local", feature="merging an adapter")
    transformers: Any = extras.require("transformers", extra="local", feature="merging an adapter")
    transformers.utils.logging.disable_progress_bar()
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = transformers.AutoModelForImageTextToText.from_pretrained(
        source.folder, dtype=torch.bfloat16, device_map={"": place}, local_files_only=True
    )
    identity = {"kind": "local", "model": source.name, "revision": source.revision, "dtype": DTYPE}
    return Loaded(model.eval(), _processor(source.folder), identity)


def asked(loaded: Loaded, name: str, record: TunedRecord, batch: int) -> LocalBackend:
    """Return a loaded model as one that can be asked; pictures are shown as the tuned model saw them."""
    options = BackendOptions(quant="none", max_pixels=record.max_pixels, batch_size=batch)
    return LocalBackend(name, loaded, options)


def refuse_quantised(base: Source) -> None:
    """Do nothing if a checkpoint was published in 16 or 32 bits.

    Raises
    ------
    BackendError
        If it was not.
    """
    transformers: Any = extras.require("transformers", extra="local", feature="merging an adapter")
    config = transformers.AutoConfig.from_pretrained(base.folder, local_files_only=True)
    quantised = getattr(config, "quantization_config", None)
    if quantised:
        kind = quantised.get("quant_method") if isinstance(quantised, dict) else quantised.quant_method
        raise BackendError(
            f"its weights are quantised ({kind}): what an adapter adds would be rounded away",
            where=base.name,
            fix="Serve base and adapter side by side: kdsl export-model OUT --adapter-only",
        )


def release() -> None:
    """Let go of the memory of models that nobody holds any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _processor(folder: Path) -> Any:
    transformers: Any = extras.require("transformers", extra="local", feature="merging an adapter")
    return transformers.AutoProcessor.from_pretrained(folder, local_files_only=True)
