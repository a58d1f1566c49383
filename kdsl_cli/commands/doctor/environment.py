"""``kdsl env``: what is installed."""

from __future__ import annotations

from typing import Any


def env() -> None:
    """Say what is installed, to paste into a report."""
    from kdsl_cli.commands.console import current_output

    facts = environment()
    lines = [f"{name}: {_told(value)}" for name, value in facts.items() if name != "packages"]
    lines += [f"{name}: {version}" for name, version in facts["packages"].items()]
    current_output().result("\n".join(lines), facts, lines)


def environment() -> dict[str, Any]:
    """Return everything about this machine and installation that can change a result."""
    import os
    import platform

    from kdsl_cli.runs.manifest import current_code, package_versions

    code = current_code()
    return {
        "kdsl": code.version,
        "git_sha": code.git_sha,
        "dirty": code.dirty,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "gpus": _gpus(),
        "caches": _caches(),
        "packages": package_versions(),
    }


def _gpus() -> list[str] | None:
    """Return the names of the GPUs that torch can use; None without torch, which alone could tell."""
    from kdsl_cli.extras import installed

    if not installed("torch"):
        return None
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def _caches() -> dict[str, str]:
    import os
    from pathlib import Path

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    hub = os.environ.get("HF_HOME") or str(home / "huggingface")
    return {"huggingface": hub, "torch": os.environ.get("TORCH_HOME") or str(home / "torch")}


def _told(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)
