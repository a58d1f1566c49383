"""The proposers of a whole campaign that ask a model: made search by search, counted together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kdsl_cli.backends.backend import Backend
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.drafts import Draft
from kdsl_cli.mining.proposers.counts import ProposalCounts
from kdsl_cli.mining.proposers.desk import Desk, Material
from kdsl_cli.mining.proposers.mixed import MixedProposer
from kdsl_cli.mining.proposers.model import ModelProposer
from kdsl_cli.mining.proposers.model_settings import ModelSettings
from kdsl_cli.mining.proposers.panels import Questions
from kdsl_cli.mining.proposers.proposer import Proposer
from kdsl_cli.mining.proposers.question_book import QuestionBook
from kdsl_cli.mining.proposers.rewording import Rewordings
from kdsl_cli.mining.proposers.statistical import make_statistical
from kdsl_cli.mining.sample import Mask, Sample


class ModelProposers:
    """Makes the proposer of each search of one task (`proposer.MakeProposer`).

    Searches of one run share the questions that were found to tell something; runs share answers alone: what
    was invented in view of a fold's labels is no candidate in the run without that fold.

    Parameters
    ----------
    material
        What there is to show.
    backend, book
        Who proposes, and who answers the questions that it invents.
    settings
        See `ModelSettings`.
    mixed
        Whether the statistical proposer proposes too.
    """

    def __init__(
        self,
        material: Material,
        backend: Backend,
        book: QuestionBook,
        settings: ModelSettings,
        *,
        mixed: bool,
    ) -> None:
        self.settings = settings
        self._desk = Desk(material, backend, book, Rewordings(backend, settings), settings)
        self._mixed = mixed
        self._questions: dict[Mask, Questions] = {}

    @property
    def counts(self) -> ProposalCounts:
        """What became of the model's answers so far."""
        return self._desk.ledger.counts

    @property
    def spent(self) -> bool:
        """Whether the model's budget ended the asking before the searches did."""
        return self._desk.ledger.spent

    def __call__(self, sample: Sample, intent: str, pool: Sequence[Candidate]) -> Proposer:
        """Return the proposer of one intent of one run."""
        model = self._model(sample, intent, pool)
        if not self._mixed:
            return model
        counting = partial(_counting, sample, intent, tuple(pool))
        return MixedProposer(model, counting, self._run(sample), sample.seen)

    def preview(self, sample: Sample, intent: str, pool: Sequence[Candidate]) -> Prompt:
        """Return the first prompt of a search: what the model is asked about the empty draft."""
        everyone = (1 << len(sample.labels)) - 1
        return self._model(sample, intent, pool).prompt(Draft((), everyone, sample.seen))

    def _model(self, sample: Sample, intent: str, pool: Sequence[Candidate]) -> ModelProposer:
        return ModelProposer(self._desk, sample, intent, pool, self._run(sample))

    def _run(self, sample: Sample) -> Questions:
        return self._questions.setdefault(sample.seen, Questions(sample.seen))


def _counting(
    sample: Sample, intent: str, pool: Sequence[Candidate], answers: Sequence[Candidate]
) -> Proposer:
    return make_statistical(sample, intent, (*pool, *answers))
