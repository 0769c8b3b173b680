"""What bench_stages trains: a random model whose tokens are characters, and a curriculum of long written arithmetic.

Three stages of 16, 32 and 64 Ki tokens, each with a mixture, a learning rate and a layout of its own, built by the
product from a workspace of problems and worked answers; another workspace, of other problems, is held out.
"""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from bench_train import MODELS, sizes
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen3Config
from written_arithmetic import SKILLS

from gradus.engine.parts import write_part
from gradus.engine.records import Attempt, JudgedAttempt, Message, Problem
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace

DOMAINS = {"math": "add", "stem": "multiply", "tool": "chain"}
"""The skill of each: so a mixture can name them."""
CHARS_A_LEVEL = 10
"""About, of a problem with its solution."""
SHORTEST = 150
TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}${% endif %}{% endfor %}"
TINY = sizes(128, 384, 2, 2, 1, 64, 128) | {"tie_word_embeddings": False, "initializer_range": 0.1}
ANY = '"*/cot" = 1.0'
STAGE = """
[[stages]]
name = "{name}"
context_length = {context}
token_budget = {budget}
mixture = {{ {mixture} }}
policy = "uniform"
training = {{ sequences_per_step = {sequences}, optim.lr = {lr}, parallel.context = {parts} }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of the curriculum; lr is a share of the first stage's, steps are those of `--scale 1`."""

    name: str
    context: int
    mixture: str
    steps: int
    sequences: int
    lr: float
    parts: int = 1
    """Processes that share a sequence."""

    def toml(self, *, scale: int, lr: float) -> str:
        budget = int(FILLED * self.context * self.sequences * self.steps * scale)
        own = asdict(self) | {"lr": self.lr * lr, "budget": budget}
        return STAGE.format(**own)

    @property
    def num_tokens(self) -> int:
        return self.context * self.sequences * self.steps


FILLED = 0.9
"""Of a sequence, what packing can be expected to fill."""
STAGES = (
    Stage(name="16k", context=16384, mixture="math = 4.0, stem = 1.0, tool = 1.0", steps=8, sequences=2, lr=1.0),
    Stage(name="32k", context=32768, mixture="math = 1.0, stem = 2.0, tool = 1.0", steps=4, sequences=2, lr=0.6),
    Stage(
        name="64k", context=65536, mixture="math = 1.0, stem = 1.0, tool = 2.0", steps=4, sequences=1, lr=0.3, parts=2
    ),
)
HELD_OUT = Stage(name="held", context=16384, mixture=ANY, steps=1, sequences=2, lr=1.0)


def make_model(folder: Path, name: str) -> None:
    """Write random weights of these dimensions, and a tokenizer of ASCII's characters; $ ends a turn."""
    torch.manual_seed(0)
    config = Qwen3Config(**TINY) if name == "tiny" else MODELS[name]()
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel({chr(i): i for i in range(128)}, unk_token="?"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


def made(seed: str, *, num_tokens: int, longest: int) -> list[tuple[Problem, Attempt]]:
    """Return so many tokens of each domain; lengths are spread evenly over their logarithm."""
    found = []
    for domain, skill in DOMAINS.items():
        rng, left = random.Random(f"{seed}/{domain}"), num_tokens
        while left > 0:
            length = SHORTEST * (longest / SHORTEST) ** rng.random()
            ask, solution = SKILLS[skill](rng, max(1, round(length / CHARS_A_LEVEL)))
            problem = Problem(
                prompt=f"{ask}=", domain=domain, verifier="math", spec={"expected": solution[-9:]}, source="made up"
            )
            left -= len(problem.prompt) + len(solution) + 1
            found.append((problem, answered(problem, solution)))
    return found


def answered(problem: Problem, solution: str) -> Attempt:
    return Attempt(
        problem_id=problem.id,
        model_id="by hand",
        sampler="0123456789ab",
        index=0,
        seed=0,
        sampling={},
        messages=(Message(role="user", content=problem.prompt), Message(role="assistant", content=solution)),
        token_ids=(),
        token_logprobs=(),
        tokens_in=len(problem.prompt),
        tokens_out=len(solution),
        seconds=1.0,
        finish_reason="stop",
    )


def passed(attempt: Attempt) -> JudgedAttempt:
    return JudgedAttempt(
        attempt_id=attempt.id, verifier="math", version="1", outcome="pass", score=1.0, reason="right", seconds=0.0
    )


def build(folder: Path, model: Path, pairs: list[tuple[Problem, Attempt]], stages: str) -> Path:
    """Write a workspace, have the product build its curriculum, and return the manifest."""
    workspace = Workspace.create(folder)
    write_part(workspace.parts, "problems", [problem for problem, _ in pairs])
    write_part(workspace.parts, "answers", [attempt for _, attempt in pairs])
    write_part(workspace.parts, "verdicts", [passed(attempt) for _, attempt in pairs])
    with open_store(workspace):
        pass
    recipe = folder / "recipe.toml"
    recipe.write_text(f'name = "stages"\nstudent = "{model}"\n{stages}')
    command = ["curriculum", "build", "--recipe", str(recipe), "--workspace", str(folder)]
    subprocess.run([sys.executable, "-m", "gradus", *command], check=True, stdout=sys.stderr)
    (manifest,) = (folder / "manifests").glob("*.json")
    return manifest
