"""The whole chain in memory, for ``kdsl eval --cv``: learn from some dialogues, decide on the others.

The verbs do the same one by one, through files. Rooms that are blind to each other (mining, training,
prediction) meet here as they meet there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kdsl_cli.commands.mine.prune import prune_settings
from kdsl_cli.commands.mine.search import search_settings

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.logic.rule import Rule, RuleBase
    from kdsl_cli.prediction.table import Prediction


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """What every fold shares.

    Attributes
    ----------
    tasks
        All labelled dialogues with their facts; `groups` keeps duplicates together.
    dialogues
        The same by id, as `predict` wants them.
    seeds
        Seed rules by task.
    settings
        Of every stage.
    workers
        Searches at once.
    """

    tasks: tuple[Labelled, ...]
    dialogues: Mapping[str, Dialogue]
    seeds: Mapping[str, Sequence[Rule]]
    settings: Settings
    workers: int

    def predict(self, held_out: frozenset[str], tell: Callable[[], None] = lambda: None) -> list[Prediction]:
        """Learn from all dialogues but those held out, and decide on these.

        Parameters
        ----------
        held_out
            Ids; nothing of them is seen before they are decided.
        tell
            Called after each task.
        """
        rows: list[Prediction] = []
        for task in self.tasks:
            inside = [place for place, id in enumerate(task.ids) if id in held_out]
            if inside:
                outside = [place for place, id in enumerate(task.ids) if id not in held_out]
                rows += self._task(_part(task, outside), _part(task, inside))
            tell()
        return rows

    def _task(self, learn: Labelled, judge: Labelled) -> list[Prediction]:
        """Mine, prune, train, weigh both sides, and decide, for one task."""
        from kdsl_cli.prediction.outoffold import OutOfFold, join
        from kdsl_cli.prediction.predict import predict_task
        from kdsl_cli.prediction.settling import settle
        from kdsl_cli.training.linear.trainer import train

        name, intents = learn.task.name, learn.task.names
        rules, of_rules = self._rules(learn)
        trained = train(learn, self.seeds.get(name, ()), seed=self.settings.train.seed)
        of_large = {row[0]: tuple(row[3] or ()) for row in trained.rows()}
        labels = dict(zip(learn.ids, learn.labels, strict=True))
        joined = join(OutOfFold({name: of_rules}), OutOfFold({name: of_large}), labels, name, intents)
        options = self.settings.predict
        settled = settle(
            options.strategy,
            name,
            rules=bool(rules.rules),
            large=True,
            joined=joined,
            override_precision=options.override_precision,
        )
        return predict_task(
            [self.dialogues[id] for id in judge.ids],
            [dialogue.facts for dialogue in judge.dialogues],
            intents,
            split="cv",
            rules=rules,
            large=trained.model.scores,
            settled=settled,
        )

    def _rules(self, learn: Labelled) -> tuple[RuleBase, dict[str, tuple[float, ...] | None]]:
        """Return the weighed rules, and what rules said of each training dialogue out of fold."""
        from kdsl_cli.mining.campaign import run_campaign
        from kdsl_cli.mining.keeping import as_base
        from kdsl_cli.mining.learning import gathered, kept_and_out_of_fold, prepare
        from kdsl_cli.mining.table import Findings

        options = self.settings.mine
        prepared = prepare(
            learn,
            self.seeds.get(learn.task.name, ()),
            search_settings(options),
            folds=options.folds,
            permutations=options.permutations,
        )
        campaign = prepared.campaign
        back = run_campaign(campaign, campaign.units(), workers=self.workers)
        mined = {done.unit: done.mined for done in back}
        findings = Findings(learn.task.name, learn.ids, campaign.sample, gathered(prepared, mined))
        pruned, judged = kept_and_out_of_fold(findings, learn.dialogues, prune_settings(self.settings.prune))
        base = as_base(learn.task.name, pruned, findings.sample, learn.ids, run="cv", seed=options.seed)
        return base, {id: None if scores is None else tuple(scores) for id, _, scores in judged}


def _part(task: Labelled, places: Sequence[int]) -> Labelled:
    return replace(
        task,
        ids=tuple(task.ids[place] for place in places),
        dialogues=tuple(task.dialogues[place] for place in places),
        labels=tuple(task.labels[place] for place in places),
        groups=tuple(task.groups[place] for place in places),
    )
