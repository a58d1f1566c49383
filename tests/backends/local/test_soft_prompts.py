"""Learnt vectors in front of a prompt: read by every token behind them, and by whatever asks the model."""

from __future__ import annotations

import pytest

from kdsl_cli.backends.local.loading import load
from kdsl_cli.backends.local.rendering import Renderer, batched
from kdsl_cli.backends.local.scoring import grow, in_one_pass, one_by_one, positions
from kdsl_cli.backends.local.soft_prompts import put_in_front
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt

peft = pytest.importorskip("peft")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.local

COUNT = 5
PIXELS = 30_000


@pytest.fixture(scope="module")
def prompted(checkpoint):
    loaded = load(LocalSpec(str(checkpoint)), BackendOptions(quant="none", max_pixels=PIXELS, device="cpu"))
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=COUNT)
    wrapped = peft.get_peft_model(loaded.model, config)
    put_in_front(loaded.model, wrapped)
    return loaded, wrapped


@pytest.fixture
def batch(prompted, noise):
    loaded, _ = prompted
    renderer = Renderer.of(loaded, PIXELS)
    prompts = [
        Prompt("", (noise(100, 60), "what is it?")),
        Prompt("be brief", ("a much longer question " * 4,)),
    ]
    return batched([renderer.row(prompt) for prompt in prompts], renderer.pad, "cpu")


def test_one_pass_scores_as_a_pass_each_does(prompted, batch):
    loaded, _ = prompted
    trie = grow([[11, 12], [11, 13, 14], [20]], end=9)
    with torch.inference_mode():
        shared, apart = in_one_pass(loaded.model, batch, trie), one_by_one(loaded.model, batch, trie)
    torch.testing.assert_close(torch.tensor(shared), torch.tensor(apart), rtol=1e-4, atol=1e-4)


def test_vectors_that_are_words_are_read_as_those_words(prompted, batch):
    """Put the embeddings of known tokens in front: the same as having them in the prompt."""
    loaded, wrapped = prompted
    words = torch.arange(30, 30 + COUNT)
    row = {name: tensor[1:] for name, tensor in batch.items() if name.endswith(("ids", "mask"))}
    with torch.inference_mode():
        embed = loaded.model.get_input_embeddings()
        wrapped.prompt_encoder.default.embedding.weight.data = embed(words).clone()
        told = loaded.model(**row, position_ids=positions(loaded.model, row), use_cache=False).logits
        front = {"input_ids": words[None], "attention_mask": torch.ones(1, COUNT, dtype=torch.long)}
        longer = {
            name: torch.cat([front.get(name, torch.zeros_like(words)[None]), tensor], dim=1)
            for name, tensor in row.items()
        }
        text = loaded.model.get_decoder()
        states = text(
            inputs_embeds=embed(longer["input_ids"]),
            attention_mask=longer["attention_mask"],
            position_ids=positions(loaded.model, longer),
            use_cache=False,
        ).last_hidden_state
        expected = loaded.model.lm_head(states)
    there = row["attention_mask"][0].bool()
    torch.testing.assert_close(told[0, COUNT:][there], expected[0, COUNT:][there], rtol=1e-4, atol=1e-4)


def test_they_matter_and_gradients_reach_them(prompted, batch):
    loaded, wrapped = prompted
    where = positions(loaded.model, batch)
    first = loaded.model(**batch, position_ids=where, use_cache=False, logits_to_keep=1).logits
    first.float().sum().backward()
    weight = wrapped.prompt_encoder.default.embedding.weight
    assert weight.grad is not None and weight.grad.any()
    with torch.no_grad():
        weight.add_(1.0)
        other = loaded.model(**batch, position_ids=where, use_cache=False, logits_to_keep=1).logits
    assert not torch.allclose(first, other)
