"""Optional parts of the installation: one message for whatever is missing."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from kdsl_cli.errors import MissingExtra


def installed(module: str) -> bool:
    """Return whether `module` can be found, without importing it.

    Examples
    --------
    >>> installed("json"), installed("no_such_module_here")
    (True, False)
    """
    return importlib.util.find_spec(module) is not None


def require(module: str, *, extra: str, feature: str) -> ModuleType:
    """Import an optional module, or say which extra brings it.

    A module that is there but broken raises its own ``ImportError``: hiding that would send the
    user to reinstall what is not missing.

    Raises
    ------
    MissingExtra
        If `module` is not installed.
    """
    if not installed(module):
        raise MissingExtra(
            f"{feature} needs the package '{module}', which is not installed",
            fix=f"Install it with: pip install 'kdsl-cli[{extra}]'",
        )
    return importlib.import_module(module)
