"""One step: gradients of batches, summed over all processes, and what the optimiser makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kdsl_cli.training.lora.adapters.adapting import Adapted
from kdsl_cli.training.lora.steps.objectives import Batch, Objective
from kdsl_cli.training.lora.steps.processes import World


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step was, over all processes.

    Attributes
    ----------
    loss
        Mean negative log-likelihood (nats) of what is learnt.
    gradient
        Its norm, before it was clipped.
    tokens
        Read, padding not among them.
    stop
        Whether any process was asked to stop.
    """

    loss: float
    gradient: float
    tokens: int
    stop: bool


def take(
    adapted: Adapted,
    objective: Objective,
    learner: Any,
    batches: Iterable[Batch],
    *,
    rate: float,
    clip: float,
    world: World,
    stop: Callable[[], bool],
) -> Taken:
    """Take one step.

    The gradient is that of the mean over the labels of all batches of all processes: how they are parted
    does not matter.

    Parameters
    ----------
    learner
        The optimiser.
    batches
        This process's, possibly none.
    rate, clip
        The learning rate, and the largest norm of the gradient.
    stop
        Says whether this process was asked to stop; asked when the batches are through.
    """
    import torch

    weights = list(adapted.learnt.values())
    learner.zero_grad(set_to_none=True)
    # In float64, where counts are exact: loss, labels learnt, tokens, wishes to stop.
    sums = torch.zeros(4, dtype=torch.float64, device=adapted.model.device)
    with adapted.learning():
        for batch in batches:
            loss = objective.loss(adapted, batch)
            loss.backward()
            sums[0] += loss.detach()
            sums[1] += batch.n_learnt
            sums[2] += batch.n_tokens
    sums[3] = float(stop())
    sums = world.summed(sums)
    _join(weights, world)
    loss_sum, learnt, tokens, stops = sums.tolist()
    for weight in weights:
        weight.grad /= learnt
    gradient = torch.nn.utils.clip_grad_norm_(weights, clip)
    for group in learner.param_groups:
        group["lr"] = rate
    learner.step()
    return Taken(loss_sum / learnt, float(gradient), int(tokens), stops > 0)


def _join(weights: list[Any], world: World) -> None:
    """Sum the gradients over all processes, as one tensor; a weight that nothing reached has a zero."""
    import torch

    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    if world.size == 1:
        return
    joined = world.summed(torch.cat([weight.grad.flatten() for weight in weights]))
    for weight, part in zip(weights, joined.split([weight.numel() for weight in weights]), strict=True):
        weight.grad.copy_(part.view_as(weight))
