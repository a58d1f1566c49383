"""What share of its time a whole `kdsl mine-rules --small` takes for itself beside a model of 50 ms a call.

    kdsl demo DIR                                # a workspace of the shop, once
    python benchmarks/mining_overhead.py DIR     # works on a copy of it

A server in a process of its own plays the model. Counted is processor time, from the first search to the
last: that of speaking to the server (requests, pictures, answers as JSON), and all the rest: tree, counting,
prompts, judging, the store of answers. The share is what the rest would be of the time were all prompts asked
one after the other; a model on this machine takes no server, so what speaking to one costs stands by itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seen_not_written import served

from kdsl_cli.backends.http.http import HttpBackend
from kdsl_cli.commands.app import run
from kdsl_cli.mining import campaign
from kdsl_cli.runs.atomic import write_json

CALL_MS = 50.0


class Clock:
    """Adds up processor time, and the prompts that were asked meanwhile."""

    def __init__(self) -> None:
        self.searching = self.speaking = 0.0
        self.prompts = 0

    def watch(self) -> None:
        """Have every search and every call of a server counted from here on."""
        for name in ("generate", "score"):
            setattr(HttpBackend, name, self._spoken(getattr(HttpBackend, name)))
        campaign.run_campaign = self._searched(campaign.run_campaign)

    def _spoken(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(backend: HttpBackend, prompts: Any, *how: Any) -> Any:
            begun = time.process_time()
            answers = call(backend, prompts, *how)
            self.speaking += time.process_time() - begun
            self.prompts += len(prompts)
            return answers

        return counted

    def _searched(self, search: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Iterator[Any]:
            begun = time.process_time()
            try:
                yield from search(*args, **named)
            finally:
                self.searching += time.process_time() - begun

        return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/mining_overhead.json"))
    asked = parser.parse_args()
    out, clock = asked.out.resolve(), Clock()
    with tempfile.TemporaryDirectory() as name, served(asked.port, 0.1, CALL_MS) as small:
        space = Path(name) / "shop"
        shutil.copytree(asked.workspace, space, ignore=shutil.ignore_patterns("calls.sqlite*", "mine"))
        os.chdir(space)
        clock.watch()
        begun = time.perf_counter()
        run(
            [
                "mine-rules",
                "-q",
                "--workers",
                "1",
                "--small",
                small,
                "--proposer",
                "mixed",
                "--minutes",
                str(asked.minutes),
            ]
        )
        seconds = time.perf_counter() - begun
        os.chdir(out.parent)
    if not clock.prompts:
        raise SystemExit("no model was asked")
    own, speaking = (
        1000 * spent / clock.prompts for spent in (clock.searching - clock.speaking, clock.speaking)
    )
    result = {
        "prompts": clock.prompts,
        "seconds": round(seconds, 1),
        "load": round(os.getloadavg()[0], 1),
        "own_ms_a_prompt": round(own, 2),
        "speaking_ms_a_prompt": round(speaking, 2),
        "own_share": round(own / (own + CALL_MS), 4),
        "share_with_speaking": round((own + speaking) / (own + speaking + CALL_MS), 4),
    }
    print("\n".join(f"{name:22} {value}" for name, value in result.items()))
    write_json(out, result)


if __name__ == "__main__":
    main()
