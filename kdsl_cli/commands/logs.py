"""What the library logs, told as everything else is: warnings always, the rest with ``-v``."""

from __future__ import annotations

from kdsl_cli.commands.console import current_output


def hear(verbosity: int) -> None:
    """Tell what the library logs from here on.

    Parameters
    ----------
    verbosity
        How many times ``-v`` was given: once for what is said in passing, twice for everything.
    """
    import logging  # no part of what ``--help`` needs

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            output, text = current_output(), record.getMessage()
            if record.levelno >= logging.WARNING:
                output.warn(text)
            else:
                output.detail(text)

    ours = logging.getLogger("kdsl_cli")
    ours.handlers[:] = [Teller()]
    ours.setLevel((logging.NOTSET, logging.INFO, logging.DEBUG)[min(verbosity, 2)])
