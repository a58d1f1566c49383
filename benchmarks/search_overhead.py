"""What share of the time a search takes for itself when its problem is as slow as a language model.

    python benchmarks/search_overhead.py

A model of a model answers: a call takes 50 ms for up to eight questions, twice that for up to sixteen, and
so on, whether it is asked for actions or for rewards. Everything that is not this waiting counts as the
search's own time. Larger batches ask less often, but choose from older knowledge; the last column tells what
they still find. The search is deterministic, so all but the times are the same on every machine.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kdsl_cli.runs.atomic import write_json
from kdsl_cli.search.mcts import Mcts
from kdsl_cli.search.problem import Action, Named
from kdsl_cli.search.selection import Puct, Widening
from kdsl_cli.search.stopping import Simulations

BATCHES = (1, 8, 32)
WORDS = 60
"""What a condition is made of."""

LENGTH = 4
"""Words of the longest condition."""


class SlowConditions:
    """Sets of words, worth their Jaccard similarity to a hidden one that proposals are a noisy guess of.

    Parameters
    ----------
    seconds
        How long a call takes.
    concurrency
        How many questions fit in one.
    """

    def __init__(self, seconds: float, concurrency: int) -> None:
        rng = random.Random(0)
        self._seconds = seconds
        self._concurrency = concurrency
        self._hidden = frozenset(rng.sample(range(WORDS), LENGTH))
        guess = [rng.random() + 0.3 * (word in self._hidden) for word in range(WORDS)]
        self._priors = [weight / sum(guess) for weight in guess]
        self.calls = 0
        self.questions = 0
        self.waited = 0.0

    def root(self) -> frozenset[int]:
        """Return no words."""
        return frozenset()

    def apply(self, state: frozenset[int], action: Action) -> frozenset[int]:
        """Return the words and one more."""
        return state | {action.payload}

    def key(self, state: frozenset[int]) -> str:
        """Return the words in order."""
        return " ".join(map(str, sorted(state)))

    def actions(self, state: frozenset[int]) -> Sequence[Action]:
        """Ask for one state's proposals."""
        return self.actions_many([state])[0]

    def evaluate(self, state: frozenset[int]) -> float:
        """Ask for one reward."""
        return self.evaluate_many([state])[0]

    def actions_many(self, states: Sequence[frozenset[int]]) -> list[Sequence[Action]]:
        """Ask for the proposals of several states, in as few calls as they fit."""
        self._wait(len(states))
        return [self._proposals(state) for state in states]

    def evaluate_many(self, states: Sequence[frozenset[int]]) -> list[float]:
        """Ask for several rewards, in as few calls as they fit."""
        self._wait(len(states))
        return [len(state & self._hidden) / len(state | self._hidden) for state in states]

    def _proposals(self, state: frozenset[int]) -> Sequence[Action]:
        if len(state) == LENGTH:
            return ()
        return [Named(f"add {word}", self._priors[word], word) for word in range(WORDS) if word not in state]

    def _wait(self, questions: int) -> None:
        began = time.perf_counter()
        time.sleep(self._seconds * math.ceil(questions / self._concurrency))
        self.waited += time.perf_counter() - began
        self.calls += 1
        self.questions += questions


@dataclass(frozen=True, slots=True)
class Row:
    """One batch size.

    Attributes
    ----------
    batch
        Paths planned together, at most.
    simulations, calls, questions
        How much was simulated, how often the problem was asked, and about how many states in all.
    seconds, own_share
        Wall time, and the part of it that was not waiting for the problem.
    best
        Highest reward found.
    """

    batch: int
    simulations: int
    calls: int
    questions: int
    seconds: float
    own_share: float
    best: float | None


def measure(batch: int, simulations: int, seconds: float, concurrency: int) -> Row:
    """Search with one batch size, with the miner's shape of tree."""
    problem = SlowConditions(seconds, concurrency)
    search = Mcts(
        problem, Puct(1.25), random.Random(0), widening=Widening(4, 2, 0.5), max_share=0.5, batch=batch
    )
    began = time.perf_counter()
    search.run(Simulations(simulations))
    wall = time.perf_counter() - began
    progress = search.progress
    share = 1 - problem.waited / wall
    return Row(
        batch, progress.simulations, problem.calls, problem.questions, wall, share, progress.best_value
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--call-seconds", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=8, help="questions answered in the time of one")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/search_overhead.json"))
    asked = parser.parse_args()
    rows = [measure(batch, asked.simulations, asked.call_seconds, asked.concurrency) for batch in BATCHES]
    print("batch  simulations  calls  questions a call  seconds  faster  search's own share  best reward")
    for row in rows:
        print(
            f"{row.batch:5}  {row.simulations:11}  {row.calls:5}  {row.questions / row.calls:16.1f}"
            f"  {row.seconds:7.1f}  {rows[0].seconds / row.seconds:5.1f}x  {row.own_share:18.2%}"
            f"  {row.best:11.3f}"
        )
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(
        asked.out,
        {
            "call_seconds": asked.call_seconds,
            "concurrency": asked.concurrency,
            "rows": [asdict(row) for row in rows],
        },
    )


if __name__ == "__main__":
    main()
