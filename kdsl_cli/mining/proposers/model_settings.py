"""How the model is asked for proposals: plain numbers, resolved once by the caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Settings of the model proposer.

    Attributes
    ----------
    asked
        Drafts of one search (an intent of a run, all its rounds) that the model is asked about, at most. Half
        of them, rounded up, in the first round: the empty draft, then those that the search leaves first. Of
        the rest one goes to each later round, for its empty draft.
    samples
        Answers to each prompt.
    shown
        Dialogues of each kind (right, wrongly caught, missed) in a prompt, at most.
    rivals
        Intents a prompt names as those it is mixed up with, at most.
    questions
        New questions of one search that are put to all dialogues, at most.
    screened
        Dialogues of the intent, and of a rival, that a question is tried on first, at most.
    doubt
        How likely, at most, chance may part the answers there as far, for a question to be put to all; shared
        among the rivals, since one that is told apart is enough.
    wordings
        In how many wordings, its own among them, a question is then put to all.
    temperature, max_tokens
        Of the sampling. At temperature 0 all samples would be the same.
    sharpness
        Temperature of the priors: nats of mean token log-probability by which a proposal must trail the best
        one to have 1/e of its prior.
    max_length
        Predicates in a draft, at most; as in `SearchSettings`.
    seed
        Of the sampling and of the dialogues shown.
    """

    asked: int = 4
    samples: int = 4
    shown: int = 4
    rivals: int = 3
    questions: int = 3
    screened: int = 16
    doubt: float = 0.01
    wordings: int = 5
    temperature: float = 0.8
    max_tokens: int = 256
    sharpness: float = 1.0
    max_length: int = 3
    seed: int = 0
