"""Motif-2 from its formulas, in float64 and head by head: what the trainer's model is compared with.

Sources: grouped differential attention, arXiv 2510.06949; differential attention, 2410.05258; PolyNorm, 2411.03884; the
order of heads and the names of weights as vLLM, llama.cpp and MLX read Motif-2-12.7B.
"""

import json
import math

import torch
from safetensors.torch import load_file, save_file

SIZES = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2, "head_dim": 16, "vocab_size": 300}


def config_of(*, heads=10, noise=2, kv_heads=4, **more):
    """Return a config.json of a small Motif; noise=None: one that does not say it."""
    said = {} if noise is None else {"num_noise_heads": noise}
    return {
        "model_type": "motif",
        "architectures": ["MotifForCausalLM"],
        "hidden_act": "poly_norm",
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "rms_norm_eps": 1e-6,
        "attn_rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 256,
        "tie_word_embeddings": False,
        **SIZES,
        **said,
        **more,
    }


def shapes(config):
    """Yield the name and shape of every weight."""
    width, inner, size = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    signal = heads - config.get("num_noise_heads", heads // 2)
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    yield "model.norm.weight", (width,)
    yield "lm_head.weight", (config["vocab_size"], width)
    for layer in range(config["num_hidden_layers"]):
        parts = {
            "self_attn.q_proj.weight": (heads * size, width),
            "self_attn.k_proj.weight": (kv_heads * size, width),
            "self_attn.v_proj.weight": (kv_heads * size, width),
            "self_attn.o_proj.weight": (width, 2 * signal * size),
            "self_attn.subln.weight": (2 * size,),
            **{f"self_attn.lambda_{which}": (size,) for which in ("q1", "k1", "q2", "k2")},
            "mlp.gate_proj.weight": (inner, width),
            "mlp.up_proj.weight": (inner, width),
            "mlp.down_proj.weight": (width, inner),
            "mlp.act_fn.weight": (3,),
            "mlp.act_fn.bias": (1,),
            "input_layernorm.weight": (width,),
            "post_attention_layernorm.weight": (width,),
        }
        yield from ((f"model.layers.{layer}.{name}", shape) for name, shape in parts.items())


def make_motif(folder, *, seed=0, **more):
    """Write a Motif with random weights; return the folder."""
    config = config_of(**more)
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes(config):
        scale = shape[-1] ** -0.5 if len(shape) == 2 else 0.3
        weights[name] = scale * torch.randn(shape, generator=generator)
        if name.endswith("norm.weight") or "subln" in name:
            weights[name] += 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights, folder / "model.safetensors")
    return folder


def load(folder):
    """Return a folder's config and its weights in float64."""
    config = json.loads((folder / "config.json").read_text())
    return config, {name: weight.double() for name, weight in load_file(folder / "model.safetensors").items()}


def rms(x, weight, eps):
    return weight * x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


def rotated(x, theta):
    """Rotate (T, H): dimension i and i + H/2 are one pair."""
    half = x.shape[-1] // 2
    speed = torch.tensor([theta ** (-i / half) for i in range(half)], dtype=torch.float64)
    turn = torch.polar(torch.ones(len(x), half, dtype=torch.float64), torch.arange(len(x))[:, None] * speed)
    turned = torch.complex(x[:, :half], x[:, half:]) * turn
    return torch.cat([turned.real, turned.imag], dim=-1)


def attention(x, w, config, layer):
    size, heads = config["head_dim"], config["num_attention_heads"]
    noise = config.get("num_noise_heads", heads // 2)
    pairs, group = config["num_key_value_heads"] // 2, heads // noise
    q, k, v = (x @ w[f"self_attn.{name}_proj.weight"].T for name in "qkv")
    q = [rotated(one, config["rope_theta"]) for one in q.split(size, dim=-1)]
    k = [rotated(one, config["rope_theta"]) for one in k.split(size, dim=-1)]
    start = 0.8 - 0.6 * math.exp(-0.3 * (layer - 1))
    q1, k1, q2, k2 = (w[f"self_attn.lambda_{which}"] for which in ("q1", "k1", "q2", "k2"))
    weight = (q1 @ k1).exp() - (q2 @ k2).exp() + start
    future = torch.ones(len(x), len(x)).triu(1).bool()

    def looks(query, key):
        return (query @ key.T / math.sqrt(size)).masked_fill(future, -math.inf).softmax(-1)

    out = []
    for number in range(noise):
        pair = number // (noise // pairs)
        values = v[:, 2 * pair * size : 2 * (pair + 1) * size]
        away = looks(q[number * group + group - 1], k[2 * pair + 1])
        for signal in range(group - 1):
            seen = (looks(q[number * group + signal], k[2 * pair]) - weight * away) @ values
            out.append((1 - start) * rms(seen, w["self_attn.subln.weight"], config["attn_rms_norm_eps"]))
    return torch.cat(out, dim=-1) @ w["self_attn.o_proj.weight"].T


def feed_forward(x, w):
    gate, up = x @ w["mlp.gate_proj.weight"].T, x @ w["mlp.up_proj.weight"].T
    powers = [rms(gate**power, weight, 1e-6) for power, weight in zip((3, 2, 1), w["mlp.act_fn.weight"], strict=True)]
    return ((sum(powers) + w["mlp.act_fn.bias"]) * up) @ w["mlp.down_proj.weight"].T


def logits(config, weights, tokens):
    """Return (T, V) for one document."""
    x, eps = weights["model.embed_tokens.weight"][tokens], config["rms_norm_eps"]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        w = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
        x = x + attention(rms(x, w["input_layernorm.weight"], eps), w, config, layer)
        x = x + feed_forward(rms(x, w["post_attention_layernorm.weight"], eps), w)
    return rms(x, weights["model.norm.weight"], eps) @ weights["lm_head.weight"].T
