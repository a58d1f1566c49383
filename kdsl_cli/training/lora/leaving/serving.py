"""An adapter as servers load it: two files, plain low-rank additions to the language model, and no more.

vLLM and SGLang read ``adapter_config.json`` (``r``, ``lora_alpha``, ``target_modules``) and the tensors
``base_model.model.MODULE.lora_A.weight`` and ``lora_B`` in ``adapter_model.safetensors``. What they do not
know they refuse, or, an adapted vision tower among it, pass over without a word: so it is refused here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kdsl_cli import extras
from kdsl_cli.errors import Problem, StageError
from kdsl_cli.runs.atomic import write_bytes, write_text

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"

RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)
"""What ``vllm serve --max-lora-rank`` takes."""

_TENSOR: Final = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(A|B)\.weight")
_LANGUAGE: Final = "language_model"
_PLAIN: Final = {
    "modules_to_save": "whole modules",
    "use_dora": "DoRA",
    "lora_bias": "biases",
    "layer_replication": "repeated layers",
    "trainable_token_indices": "learnt tokens",
    "target_parameters": "bare parameters",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What an adapter adds to.

    Attributes
    ----------
    rank
        Of its additions, the highest.
    modules
        Names of the linear layers that get additions, sorted.
    """

    rank: int
    modules: tuple[str, ...]

    @property
    def max_rank(self) -> int:
        """The least ``--max-lora-rank`` with which vLLM takes it.

        Examples
        --------
        >>> Layout(24, ()).max_rank
        32
        """
        return next((rank for rank in RANKS if rank >= self.rank), self.rank)


def write_adapter(source: Path, folder: Path, base: str) -> Layout:
    """Copy an adapter to `folder` as servers load it; the tensors stay the same bytes.

    Parameters
    ----------
    source
        Folder of the adapter, as peft left it.
    base
        What servers know the untuned model by.

    Raises
    ------
    StageError
        If servers could not load it, or would pass over a part of it.
    """
    config = json.loads((source / CONFIG).read_text(encoding="utf-8"))
    layout = check(source, config)
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / WEIGHTS, (source / WEIGHTS).read_bytes())
    plain = {
        **config,
        "base_model_name_or_path": base,
        "inference_mode": True,
        "target_modules": list(layout.modules),  # by name: an expression might fit other layers elsewhere
    }
    write_text(folder / CONFIG, json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    return layout


def check(source: Path, config: dict[str, Any]) -> Layout:
    """Return what an adapter adds to, if servers can load all of it; raises as `write_adapter`."""
    where = str(source / CONFIG)
    problems = [
        Problem(where, f"{what} are no low-rank additions ({name})", fix="Merge it: kdsl export-model OUT")
        for name, what in _PLAIN.items()
        if config.get(name)
    ]
    if config.get("bias", "none") != "none":
        problems.append(Problem(where, f"bias is '{config['bias']}'", "none"))
    shapes = _shapes(source / WEIGHTS)
    for name in shapes:
        found = _TENSOR.fullmatch(name)
        if not found:
            problems.append(Problem(str(source / WEIGHTS), f"no low-rank addition: {name}"))
        elif _LANGUAGE not in found["module"].split("."):
            problems.append(
                Problem(
                    str(source / WEIGHTS),
                    f"{found['module']} lies outside the language model: servers pass over it",
                    fix="Merge it (kdsl export-model OUT), or train with train.targets: language",
                )
            )
    if problems:
        raise StageError(problems)
    modules = {found["module"] for name in shapes if (found := _TENSOR.fullmatch(name))}
    ranks = [shape[0] for name, shape in shapes.items() if name.endswith("lora_A.weight")]
    return Layout(max(ranks), tuple(sorted(modules)))


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    safetensors: Any = extras.require("safetensors", extra="local", feature="an adapter")
    with safetensors.safe_open(path, "np") as tensors:
        return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
