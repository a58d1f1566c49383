"""The settings of a workspace: every option that has a default, in one model.

Precedence: the command line, then the environment (``KDSL_MINE_SIMULATIONS=500`` for ``mine.simulations``),
then `kdsl.yaml`, then the defaults below. A field's description is also the comment that ``kdsl init``
writes above it, so a new option is one `Field` here and nothing else.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, StrictStr, model_validator

from kdsl_cli.commands.workspace.section import (
    Folds,
    Fraction,
    Minutes,
    Positive,
    Quantisation,
    Seconds,
    Section,
    Seed,
    Weight,
)
from kdsl_cli.commands.workspace.train_settings import TrainSettings

Engine = Literal["rapidocr"]
Who = Literal["auto", "statistical", "model", "mixed"]
Strategy = Literal["rules", "large", "rules-first", "log-odds"]
Show = Literal["thumbnails", "linked", "none"]


class DataSettings(Section):
    """Where the dialogues are."""

    dialogues: StrictStr = Field("data/dialogues.jsonl", description="Dialogues, one JSON object a line")
    catalogue: StrictStr = Field("intents.yaml", description="The tasks and their intents")
    images: StrictStr | None = Field(
        None, description="Folder that picture paths start from; null: the folder of the file that names them"
    )


class SplitSettings(Section):
    """How dialogues are parted; groups and duplicates stay together."""

    train: Fraction = Field(0.6, description="Share that rules and weights are learnt from")
    val: Fraction = Field(0.2, description="Share that thresholds may be chosen on")
    test: Fraction = Field(0.2, description="Share that only prediction and evaluation open")
    seed: Seed = Field(0, description="Another seed, another parting")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, val and test must add up to 1, not {total:g}")
        return self


class ExtractSettings(Section):
    """How pictures are read."""

    workers: Positive | None = Field(None, description="Pictures read at once; null: one for each core")
    max_side: Positive = Field(960, description="Longest side, in pixels, at which text is looked for")
    engine: Engine = Field("rapidocr", description="What reads text in pictures")


class SmallSettings(Section):
    """The small multimodal model that proposes rules and answers questions."""

    model: StrictStr | None = Field(
        None,
        description="local:PATH_OR_ID[@REVISION][+ADAPTER], http:URL#MODEL or scripted:FILE; null: none",
    )
    quant: Quantisation = Field("nf4", description="How a local model's weights are kept: nf4, int8 or none")
    max_pixels: Positive = Field(401_408, description="Pixels of a picture that the model is shown, at most")
    batch: Positive = Field(8, description="Prompts that a local model answers at once")
    concurrency: Positive = Field(8, description="Requests under way to a server at once")
    timeout: Seconds = Field(120.0, description="Seconds that a server has for one answer")
    max_calls: Positive | None = Field(None, description="Answers that a stage may ask for; null: no limit")
    max_tokens: Positive | None = Field(None, description="Tokens that a stage may use; null: no limit")
    max_minutes: Minutes | None = Field(None, description="Minutes that a stage may ask; null: no limit")


class MineSettings(Section):
    """How rules are searched for."""

    simulations: Positive = Field(3000, description="Steps of the search for each intent, at most")
    minutes: Minutes | None = Field(
        None, description="Minutes for all intents, at most, shared by the tasks; null: no limit"
    )
    patience: Positive = Field(
        150, description="Steps without a better rule before a round of the search ends"
    )
    seed: Seed = Field(0, description="Same seed and data, same rules")
    seed_rules: tuple[StrictStr, ...] = Field(
        (), description="Rule files taken in as drafts that compete on the same evidence"
    )
    proposer: Who = Field(
        "auto",
        description="Who suggests predicates: statistical, model, or mixed; auto: mixed if a model is named",
    )
    asked: Positive = Field(4, description="Drafts of one search for which the model is asked, at most")
    leaves: Positive = Field(8, description="Drafts looked at together when a model is asked")
    max_length: Positive = Field(3, description="Phrases and other predicates in one rule, at most")
    max_rules: Positive = Field(40, description="Rules found for one intent, at most, before pruning")
    folds: Folds = Field(5, description="Parts for judging a rule on what it was not found on")
    permutations: Positive = Field(
        10, description="Shuffles of the labels that show how good a rule pure noise would reach"
    )
    workers: Positive | None = Field(None, description="Intents searched at once; null: one for each core")


class PruneSettings(Section):
    """Which rules are kept."""

    cap_per_intent: Positive = Field(30, description="Mined rules kept for one intent, at most")
    lasso: Weight = Field(0.2, description="What a mined rule must add before it gets any weight")
    ridge: Weight = Field(1.0, description="How firmly a mined rule is believed to be worth nothing")
    seed_ridge: Weight = Field(1.0, description="How firmly a seed rule is believed to be worth its weight")
    seed_scale: Fraction = Field(
        0.5, description="Share of a seed rule's weight that is believed: rules of one intent fire together"
    )


class LargeSettings(Section):
    """How a tuned large model is run when it is asked; what shapes its answers was settled in training."""

    through: StrictStr | None = Field(
        None,
        description="Who answers for it: http:URL#MODEL where it is served, local:PATH where its base is now",
    )
    batch: Positive = Field(8, description="Dialogues that it answers at once on this machine")
    concurrency: Positive = Field(8, description="Requests under way to a server at once")
    timeout: Seconds = Field(120.0, description="Seconds that a server has for one answer")


class PredictSettings(Section):
    """How rules and the large model decide together."""

    strategy: Strategy = Field("log-odds", description="rules, large, rules-first or log-odds")
    override_precision: Fraction = Field(
        0.9,
        description="rules-first: a rule overrides where its precision is at least this, as a lower bound",
    )


class EvalSettings(Section):
    """How the score is measured."""

    bootstrap: Positive = Field(1000, description="Resamples behind each 95 % interval")
    seed: Seed = Field(0, description="Of those resamples")
    pictures: Show = Field(
        "thumbnails", description="Pictures in report.html: thumbnails, linked (beside it) or none"
    )


class Settings(Section):
    """All options of a workspace.

    Examples
    --------
    >>> Settings().mine.folds
    5
    """

    data: DataSettings = Field(DataSettings(), description="Where the dialogues are")
    splits: SplitSettings = Field(SplitSettings(), description="kdsl data split")
    extract: ExtractSettings = Field(ExtractSettings(), description="kdsl extract")
    small: SmallSettings = Field(SmallSettings(), description="The small model of mine-rules and extract")
    mine: MineSettings = Field(MineSettings(), description="kdsl mine-rules")
    prune: PruneSettings = Field(PruneSettings(), description="kdsl prune-rules")
    train: TrainSettings = Field(TrainSettings(), description="kdsl train-large")
    large: LargeSettings = Field(LargeSettings(), description="The tuned large model, when it is asked")
    predict: PredictSettings = Field(PredictSettings(), description="kdsl predict")
    eval: EvalSettings = Field(EvalSettings(), description="kdsl eval")


def options() -> dict[str, dict[str, Any]]:
    """Return the default of every option by section and name, in order, as plain JSON values."""
    return Settings().resolved()


def descriptions(section: str) -> dict[str, str]:
    """Return the sentence on every option of a section, in order."""
    kind = type(getattr(Settings(), section))
    return {name: field.description or "" for name, field in kind.model_fields.items()}
