"""From a spec to a model that answers. Only what a spec needs is imported."""

from __future__ import annotations

from pathlib import Path

from kdsl_cli.backends.backend import Backend
from kdsl_cli.backends.spec import BackendOptions, HttpSpec, LocalSpec, parse_spec


def check_spec(spec: str, base: Path = Path()) -> str:
    """Return a spec in full, its paths from `base`, if what it names on this machine is there; opens nothing.

    Raises
    ------
    BackendError
        As `open_backend`, as far as a look at the disk can tell.
    """
    parsed = parse_spec(spec, base)
    if isinstance(parsed, LocalSpec):
        from kdsl_cli.backends.local.finding import check_named

        check_named(parsed.path)
    elif not isinstance(parsed, HttpSpec):
        from kdsl_cli.backends.script import read_script

        read_script(parsed.path)
    return str(parsed)


def open_backend(spec: str, options: BackendOptions, base: Path = Path()) -> Backend:
    """Open the model a user named.

    Parameters
    ----------
    spec
        See `spec.parse_spec`.
    options
        How to run it.
    base
        The folder that relative paths in the spec start from.

    Raises
    ------
    BackendError
        If the spec is no spec, or the model cannot be loaded.
    MissingExtra
        If the kind of model needs an optional part of the installation.
    """
    parsed = parse_spec(spec, base)
    if isinstance(parsed, LocalSpec):
        from kdsl_cli.backends.local.local import open_local

        return open_local(parsed, options)
    if isinstance(parsed, HttpSpec):
        from kdsl_cli.backends.http.http import open_http

        return open_http(parsed, options)
    from kdsl_cli.backends.scripted import ScriptedBackend

    return ScriptedBackend(parsed.path)
