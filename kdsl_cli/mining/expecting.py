"""What asking a model for proposals will take at most, told before anything is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.mining.campaign import Campaign, Unit
from kdsl_cli.mining.drafts import MIN_FOUND
from kdsl_cli.mining.proposers.asked import ModelProposers

CHARACTERS_A_TOKEN: Final = 2
"""Rough, between Chinese (one to two) and English (four)."""

PIXELS_A_TOKEN: Final = 28 * 28
"""Of a picture, in the Qwen2-VL family: 14 pixels a patch, two by two patches a token."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Upper bounds for the searches of one task, and the first prompt of the first one.

    Attributes
    ----------
    searches
        Intents of all runs that have dialogues enough.
    drafts
        Drafts the model is asked about.
    proposals
        Answers asked for: each draft several times.
    questions
        New questions that are put to all dialogues; equal ones of two runs are asked once.
    answers
        Answers to questions, the trials of those that fail included.
    prompt
        None if there is nothing to search.
    prompt_tokens
        Rough length of that prompt.
    """

    searches: int
    drafts: int
    proposals: int
    questions: int
    answers: int
    prompt: Prompt | None
    prompt_tokens: int

    @property
    def calls(self) -> int:
        """Calls of the model: proposals, other wordings of questions, and answers."""
        return self.proposals + self.questions + self.answers


def expected(campaign: Campaign, proposers: ModelProposers, *, max_pixels: int, seeded: int = 0) -> Expected:
    """Return what the searches of a campaign may ask for, without asking.

    Parameters
    ----------
    campaign
        All its units are taken to be still to do.
    proposers
        Those of the campaign.
    max_pixels
        Of a picture as the model is shown it.
    seeded
        Questions that seed rules ask.
    """
    settings, size = proposers.settings, len(campaign.sample.labels)
    units = searched(campaign)
    prompt = None
    if units:
        first = units[0]
        prompt = proposers.preview(campaign.sample_of(first), first.intent, campaign.pool)
    proposals = len(units) * settings.asked * settings.samples
    questions = len(units) * settings.questions
    # A question goes, in all wordings, to every dialogue and to a content-free input; other proposals may
    # each cost a trial.
    trials = max(0, proposals * settings.max_length - questions)
    whole = seeded + questions * settings.wordings
    answers = whole * (size + 1) + trials * (settings.screened * (1 + settings.rivals) + 1)
    return Expected(
        len(units),
        len(units) * settings.asked,
        proposals,
        questions,
        answers,
        prompt,
        rough_tokens(prompt, max_pixels) if prompt else 0,
    )


def searched(campaign: Campaign) -> list[Unit]:
    """Return the units whose intent has dialogues enough for a rule to be found."""
    return [
        unit
        for unit in campaign.units()
        if campaign.sample_of(unit).positives(unit.intent).bit_count() >= MIN_FOUND
    ]


def rough_tokens(prompt: Prompt, max_pixels: int) -> int:
    """Return about how many tokens a prompt has, its pictures taken to be of `max_pixels` each.

    Examples
    --------
    >>> rough_tokens(Prompt("Be brief.", ("Is it so?",)), 401_408)
    9
    """
    written = sum(len(part) for part in (prompt.system, *prompt.parts) if isinstance(part, str))
    return written // CHARACTERS_A_TOKEN + len(prompt.pictures) * max_pixels // PIXELS_A_TOKEN
