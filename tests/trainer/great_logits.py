"""A model whose attention logits are too great, and transformers' own view of them: for tests of QK-clip."""

import numpy as np
import tiny
import torch
from torch.nn import functional as F  # noqa: N812
from transformers import AttentionInterface, AutoModelForCausalLM

from gradus.trainer.batch import Document, collate
from gradus.trainer.losses.cross_entropy import count_labels

ROWS = ((20, 30), (64,), (3, 5, 40))
LIMIT = 4.5


def batches(seed=0, device="cpu"):
    rng = np.random.default_rng(seed)
    rows = [[Document(rng.integers(0, tiny.VOCAB, n), np.ones(n, bool)) for n in row] for row in ROWS]
    return [collate([row], 64).to(device) for row in rows]


def plant(folder, *, factor=12.0):
    """Make the queries and keys of the last layer's first two heads, or all that its norms let pass, too large."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    attention = model.model.layers[1].self_attn
    with torch.no_grad():
        first, second = (slice(i * attention.head_dim, (i + 1) * attention.head_dim) for i in range(2))
        attention.q_proj.weight[first] *= factor
        attention.q_proj.weight[second] *= 0.7 * factor
        attention.k_proj.weight[first] *= factor
        for norm in ("q_norm", "k_norm"):
            if hasattr(attention, norm):
                getattr(attention, norm).weight.mul_(2.0)
    model.save_pretrained(folder)
    return folder


def plant_in_padding(folder):
    """Have the first layer's first head look for what padding alone is made of: the token 0."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    layer = model.model.layers[0]
    with torch.no_grad():
        padding = F.normalize(layer.input_layernorm(model.model.embed_tokens.weight[0]), dim=0)
        layer.self_attn.q_proj.weight[0] = layer.self_attn.k_proj.weight[0] = padding
    model.save_pretrained(folder)
    return folder


def greatest_logits(folder, given):
    """Return (layers, heads): the greatest logit of transformers' model over all documents."""
    found = []

    def recorded(module, q, k, v, mask, scaling, **_):
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
        logits = q @ k.mT * scaling
        seen = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
        found.append(logits.masked_fill(~seen, -torch.inf).amax(dim=(0, 2, 3)))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling).transpose(1, 2), None

    AttentionInterface.register("recorded", recorded)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="recorded")
    with torch.no_grad():
        for batch in given:
            for number in range(int(batch.document_BT.max()) + 1):
                model(batch.tokens_BT[batch.document_BT == number][None])
    return torch.stack(found).view(-1, len(model.model.layers), found[0].shape[0]).amax(dim=0)


def collect(ours, given):
    num_labels = sum(count_labels(batch.labels_BT) for batch in given).float()
    return sum(ours.backward(batch, num_labels) for batch in given)
