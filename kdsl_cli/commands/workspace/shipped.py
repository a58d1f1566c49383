"""Data and rules that come with the program, wherever it runs from.

In a checkout they are `data/` and `rules/` beside the package, in an installed wheel `_shipped/` inside it.
"""

from __future__ import annotations

from pathlib import Path

from kdsl_cli.errors import ConfigError, did_you_mean

NAMES = ("data/shop", "rules/ecommerce-zh")
"""What ships."""

_PACKAGE = Path(__file__).resolve().parents[2]


def shipped(name: str) -> Path:
    """Return the folder of what ships under `name`: read it, never write to it.

    Raises
    ------
    ConfigError
        If nothing ships under that name, or the installation lost it.

    Examples
    --------
    >>> (shipped("rules/ecommerce-zh") / "intents.yaml").is_file()
    True
    """
    if name not in NAMES:
        raise ConfigError(
            f"nothing ships under the name '{name}'", allowed=", ".join(NAMES), fix=did_you_mean(name, NAMES)
        )
    # The checkout goes first: an editable installation has both, and its copy may be an old one.
    beside, inside = _PACKAGE.parent / name, _PACKAGE / "_shipped" / name
    for folder in (beside, inside) if _is_checkout() else (inside,):
        if folder.is_dir():
            return folder
    raise ConfigError("is not in this installation", where=str(inside), fix="Install kdsl-cli anew")


def _is_checkout() -> bool:
    """Say whether the folder above the package is this project's, and not just any site-packages."""
    return (_PACKAGE.parent / "pyproject.toml").is_file()
