"""Scripted models for tests of what stands around a model."""

from __future__ import annotations

from pathlib import Path

from kdsl_cli.backends.scripted import ScriptedBackend
from kdsl_cli.dialogues.prompting import Prompt

ANSWERS = """\
answers:
- {match: bad, fail: "no answer today"}
- match: sky
  text: ["blue", "grey"]
  logprob: -0.5
  choose: "yes"
- match: 退款
  text: "在“我的”里 🧧"
  logprobs: {"yes": -0.1, "no": -2.5, "也许 🧧": -9}
- text: "so"
  logprobs: {"no": -0.3}
"""


def scripted(folder: Path, text: str = ANSWERS, name: str = "answers.yaml") -> ScriptedBackend:
    """Write a script into a folder and open it."""
    (folder / name).write_text(text, encoding="utf-8")
    return ScriptedBackend(folder / name)


def ask(*words: str) -> list[Prompt]:
    """Return one prompt a word."""
    return [Prompt("", (word,)) for word in words]


def shown(backend: ScriptedBackend) -> list[str]:
    """Return what the prompts so far begin with."""
    return [str(asked.prompt.parts[0]) for asked in backend.asked]
