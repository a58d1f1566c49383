"""Which parts of a model are quantised: the language model, and nothing else.

Language models bear 4 bits well; the vision tower, what carries its features over, and the head do not, and
are small. Their names differ from family to family, so they are found, not listed: everything with linear
layers that lies outside the language model. After loading it is checked that they were left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Final

from kdsl_cli import extras
from kdsl_cli.errors import BackendError

_QUANTISED: Final = ("Linear4bit", "Linear8bitLt")


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


def check_quantised(model: Any, kept: Collection[str]) -> int:
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


def quantisation(quant: str, dtype: Any, kept: Collection[str]) -> Any:
    """Return the settings for "nf4" or "int8", computing in `dtype`; the modules `kept` are left alone."""
    config: Any = extras.require("transformers", extra="local", feature="a local model").BitsAndBytesConfig
    if quant == "int8":
        logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)  # a line at each layer
        # Without a threshold: with one, which columns are large would be asked of the whole batch, and the
        # rows of a batch would change each other's answers.
        return config(load_in_8bit=True, llm_int8_threshold=0.0, llm_int8_skip_modules=list(kept))
    return config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=list(kept),
    )
