"""A loaded model becomes one that learns: what is learnt is added by peft, everything else stands still."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kdsl_cli import extras
from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.local.soft_prompts import put_in_front
from kdsl_cli.errors import BackendError
from kdsl_cli.runs.atomic import write_text
from kdsl_cli.runs.seeds import child_seed
from kdsl_cli.training.lora.adapters.heads import Head
from kdsl_cli.training.lora.adapters.settings import LoraSettings

_LINEAR: Final = ("Linear", "Linear4bit", "Linear8bitLt")


@dataclass(frozen=True, slots=True)
class Adapted:
    """A model with what it learns.

    Attributes
    ----------
    model
        To be called; what is learnt is in it.
    processor
        The model's.
    wrapped
        The same as peft sees it. None where all weights are learnt.
    head
        The classifier on the last token; None where answers are learnt.
    learnt
        What is learnt, by name: parameters in float32.
    initial
        Copies of them as they were made.
    """

    model: Any
    processor: Any
    wrapped: Any
    head: Head | None
    learnt: Mapping[str, Any]
    initial: Mapping[str, Any]

    @property
    def initial_hash(self) -> str:
        """Hash of what training begins with: equal seeds, models and settings begin alike."""
        digest = hashlib.sha256()
        for name in sorted(self.initial):
            digest.update(f"{name}\0".encode())
            digest.update(self.initial[name].numpy().tobytes())
        return f"sha256:{digest.hexdigest()}"

    def state(self) -> dict[str, Any]:
        """Return copies of what is learnt, in the host's memory."""
        return {name: weight.detach().cpu().clone() for name, weight in self.learnt.items()}

    def set(self, state: Mapping[str, Any]) -> None:
        """Let what is learnt be as `state` returned it; `initial` begins anew."""
        import torch

        with torch.no_grad():
            for name, weight in self.learnt.items():
                weight.copy_(state[name])

    @contextmanager
    def learning(self) -> Iterator[None]:
        """Within the block the model drops out, keeps what gradients need, and computes as it is to learn."""
        import torch

        device = self.model.device.type
        self.model.train()
        if device == "cpu":
            yield  # in float32, where casting has nothing to do
            return
        peft: Any = extras.require("peft.helpers", extra="local", feature="tuning")
        # Without autocast peft would keep a float32 copy of every layer's input.
        with (
            torch.autocast(device, dtype=self.model.dtype),
            peft.disable_input_dtype_casting(self.model),
        ):
            yield

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Within the block the model answers as in prediction."""
        self.model.eval()
        for part in self.model.modules():
            if type(part).__name__ == "Linear4bit":
                part.training = True  # else some CPUs lay the weights out anew, in a form without gradients
        yield

    def save(self, folder: Path, name: str) -> None:
        """Write what is learnt to `folder` as peft lays it out; equal weights are equal bytes.

        Parameters
        ----------
        name
            Of the model below, for whoever finds the folder.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if self.wrapped is None:
            self.model.save_pretrained(folder)
            self.processor.save_pretrained(folder)
            return
        self.wrapped.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # an empty form
        path = folder / "adapter_config.json"
        config = json.loads(path.read_text("utf-8")) | {"base_model_name_or_path": name}
        if isinstance(config.get("target_modules"), list):
            config["target_modules"].sort()  # peft keeps a set
        write_text(path, json.dumps(config, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        if self.head is not None:
            self.head.save(folder)
        for file in folder.iterdir():  # safetensors writes for its owner alone, and a server may be another
            file.chmod(path.stat().st_mode)


def adapt(loaded: Loaded, settings: LoraSettings, sizes: Mapping[str, int], seed: int) -> Adapted:
    """Add to a model what it is to learn.

    Parameters
    ----------
    loaded
        The model; it is changed.
    settings
        Which method, and how much is added where.
    sizes
        Intents of each task, for a head.
    seed
        Of what the additions begin with.

    Raises
    ------
    BackendError
        If the method does not go with the model.
    MissingExtra
        If peft is not installed.
    """
    import torch

    extras.require("peft", extra="local", feature="tuning")
    model = loaded.model
    torch.manual_seed(child_seed(seed, "adapter"))
    if settings.method == "full":
        wrapped, learnt = None, _all_weights(model)
    elif settings.method == "prompt":
        wrapped, learnt = _soft_prompt(model, settings)
    else:
        wrapped, learnt = _low_rank(model, settings)
    head = None
    if settings.method == "head":
        head = Head.fresh(sizes, model.config.get_text_config().hidden_size, model.device)
        learnt |= head.weights
    if settings.checkpointing:  # behind peft, which would let gradients into the frozen embeddings
        _checkpointed(model)
    initial = {name: weight.detach().cpu().clone() for name, weight in learnt.items()}
    return Adapted(model, loaded.processor, wrapped, head, learnt, initial)


def targets(model: Any, which: str) -> list[str]:
    """Return the names of the linear layers that get additions.

    Those of the language model, and with ``all`` those of the vision tower: never those of the head, or the
    embeddings. Servers pass over an adapted vision tower, without a word.

    Raises
    ------
    BackendError
        If no language model is found.
    """
    decoder, output = model.get_decoder(), model.get_output_embeddings()
    inside = next((name for name, part in model.named_modules() if part is decoder), "")
    found = [
        name
        for name, part in model.named_modules()
        if type(part).__name__ in _LINEAR
        and part is not output
        and (which == "all" or name.startswith(f"{inside}."))
    ]
    if not inside or not found:
        raise BackendError(f"no language model is found in {type(model).__name__}", fix="Tune another model")
    return found


def _low_rank(model: Any, settings: LoraSettings) -> tuple[Any, dict[str, Any]]:
    import peft

    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets(model, settings.targets),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft reads a name that transformers will drop
        wrapped = peft.get_peft_model(model, config)
    return wrapped, _trainable(model)


def _soft_prompt(model: Any, settings: LoraSettings) -> tuple[Any, dict[str, Any]]:
    import peft

    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=settings.soft_tokens)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        wrapped = peft.get_peft_model(model, config)
    put_in_front(model, wrapped)
    return wrapped, {
        f"prompt_encoder.{name}": weight for name, weight in wrapped.prompt_encoder.named_parameters()
    }


def _all_weights(model: Any) -> dict[str, Any]:
    if any(type(part).__name__ in _LINEAR[1:] for part in model.modules()):
        raise BackendError("quantised weights cannot be learnt", fix="Use train.quant: none")
    model.requires_grad_(False)
    model.get_decoder().requires_grad_(True)  # with the embeddings, which the head may share
    return _trainable(model)


def _checkpointed(model: Any) -> None:
    """Compute activations twice in place of keeping them; its name changed within transformers 5."""
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def _trainable(model: Any) -> dict[str, Any]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
