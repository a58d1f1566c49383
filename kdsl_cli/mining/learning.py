"""From the labelled dialogues of a task to a campaign that can be run: candidates, seeds, noise level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsl_cli.evidence.labelled import Labelled
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.rule import Rule
from kdsl_cli.mining.campaign import WHOLE, Campaign, Unit
from kdsl_cli.mining.candidates import candidates
from kdsl_cli.mining.crossfit import out_of_fold_scores, vouched
from kdsl_cli.mining.miner import Mined
from kdsl_cli.mining.noise import measure_noise
from kdsl_cli.mining.proposers.proposer import MakeProposer
from kdsl_cli.mining.pruning import Pruned, PruneSettings, Weighed, prune
from kdsl_cli.mining.rules import CandidateRule, from_found, from_seed
from kdsl_cli.mining.sample import Mask, as_bools, make_sample, mask_of
from kdsl_cli.mining.search_settings import SearchSettings
from kdsl_cli.mining.simplifying import Simplifier
from kdsl_cli.mining.table import Findings

Runs = Mapping[int, tuple[CandidateRule, ...]]
"""Rules of each run of a campaign, seeds first: by the fold it did not see, or `WHOLE`."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A campaign and the seed rules that compete in it."""

    labelled: Labelled
    campaign: Campaign
    seeds: tuple[CandidateRule, ...]


def prepare(
    labelled: Labelled,
    seeds: Sequence[Rule],
    settings: SearchSettings,
    *,
    folds: int,
    permutations: int,
    stop_file: Path | None = None,
    proposers: MakeProposer | None = None,
    leaves: int = 1,
) -> Prepared:
    """Gather candidates, let the seeds fire, and measure what noise would reach.

    Parameters
    ----------
    labelled
        One task's training dialogues.
    seeds
        Rules that were there before the sample; disabled ones are passed over.
    settings
        Of the search; its seed shapes folds and noise too.
    folds
        Parts of the sample.
    permutations
        Shuffles behind the noise level.
    stop_file
        Searches stop once it is there.
    proposers, leaves
        As for `Campaign`. The noise level is measured with the statistical proposer in any case.
    """
    task = labelled.task
    sample = make_sample(labelled.labels, labelled.groups, task.names, n_folds=folds, seed=settings.seed)
    pool = candidates(labelled.dialogues, task.intents)
    active = [rule for rule in seeds if rule.active]
    firing = firing_matrix(active, labelled.dialogues) == 1
    competing = tuple(from_seed(rule, mask_of(firing[:, column])) for column, rule in enumerate(active))
    noise = measure_noise(sample, pool, settings, permutations=permutations)
    known: dict[str, tuple[Mask, ...]] = {}
    for seed in competing:
        known[seed.intent] = (*known.get(seed.intent, ()), seed.fires)
    campaign = Campaign(
        sample,
        pool,
        settings,
        noise,
        known,
        stop_file=stop_file,
        proposers=proposers,
        leaves=leaves,
    )
    return Prepared(labelled, campaign, competing)


def gathered(prepared: Prepared, mined: Mapping[Unit, Mined]) -> Runs:
    """Return the rules of each run, in an order that does not depend on which unit came back first."""
    runs: dict[int, tuple[CandidateRule, ...]] = {}
    for fold in (WHOLE, *range(len(prepared.campaign.sample.folds))):
        found = [
            from_found(one)
            for intent in prepared.labelled.task.names
            for one in mined[Unit(fold, intent)].found
        ]
        runs[fold] = (*prepared.seeds, *found)
    return runs


Judged = tuple[str, int, list[float] | None]
"""id, fold, and scores that neither search nor weights had seen the dialogue for; None: no rule spoke."""


def kept_and_out_of_fold(
    findings: Findings, dialogues: Sequence[Indexed], settings: PruneSettings
) -> tuple[Pruned, list[Judged]]:
    """Simplify and prune every run of a task: the whole one for its rules, the others to judge their fold.

    Parameters
    ----------
    findings
        What the miner left.
    dialogues
        The sample's facts, in the order of ``findings.ids``.
    settings
        How hard to prune.
    """
    sample, size = findings.sample, len(findings.ids)
    simpler = Simplifier(dialogues, sample.seen)
    runs = {fold: [simpler.simplest(rule) for rule in rules] for fold, rules in findings.runs.items()}
    pruned = prune(vouched(runs[WHOLE], runs, sample), sample, settings)
    scores, spoken = out_of_fold_scores(runs, sample, settings)
    judged: list[Judged] = []
    for fold, mask in enumerate(sample.folds):
        judged += [
            (findings.ids[place], fold, scores[place].tolist() if spoken[place] else None)
            for place in as_bools(mask, size).nonzero()[0].tolist()
        ]
    return pruned, judged


def kept_without(
    findings: Findings, dialogues: Sequence[Indexed], settings: PruneSettings
) -> list[tuple[Weighed, ...]]:
    """Return, for each fold, the rules that are kept of the search that did not see it; seeds are left out.

    What they say of their fold is what rules say of dialogues that they were not learnt from.

    Parameters
    ----------
    findings, dialogues, settings
        As for `kept_and_out_of_fold`.
    """
    sample, simpler = findings.sample, Simplifier(dialogues, findings.sample.seen)
    kept = []
    for fold in range(len(sample.folds)):
        rules = [simpler.simplest(rule) for rule in findings.runs[fold]]
        pruned = prune(rules, sample.without(fold), settings).kept
        kept.append(tuple(one for one in pruned if not one.rule.seed))
    return kept
