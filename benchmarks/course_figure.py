"""The picture in docs/curricula.md: a curriculum of made-up attempts, judged, scored, built and drawn by the product.

    python benchmarks/course_figure.py FOLDER docs/course.svg

600 problems, 8 attempts at each by the student. Lengths are log-normal around 500 tokens; how often a problem is passed
spreads over all of [0, 1]. What the attempts say before their answer is filler: nothing here is meant to be learnt.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from gradus.engine.models import default_model, model_id
from gradus.engine.parts import write_part
from gradus.engine.records import Attempt, Message, Problem
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace

DOMAINS = {"math": 300, "stem": 200, "tool": 100}
NUM_ATTEMPTS = 8
WORDS = ("so", "we", "add", "the", "terms", "then", "check", "that", "both", "sides", "agree", "before", "going", "on")
RECIPE = """
name = "course"

[traces]
per_problem = 4

[[stages]]
name = "foundation"
context_length = 2048
token_budget = 200_000
policy = "easy_to_hard"
mixture = { "math/cot" = 2, "stem/cot" = 1, "tool/cot" = 1 }

[[stages]]
name = "specialisation"
context_length = 8192
token_budget = 400_000
policy = "frontier"
mixture = { "*/cot/*/easy" = 3, "*/cot/*/medium" = 2, "*/cot/*/hard" = 1 }
mixture_end = { "*/cot/*/easy" = 1, "*/cot/*/medium" = 2, "*/cot/*/hard" = 3 }
schedule = "cosine"
"""


def problem(domain: str, number: int) -> Problem:
    prompt = f"Question {number} of {domain}: what is {number} + {number + 1}?"
    return Problem(
        prompt=prompt, domain=domain, verifier="math", spec={"expected": str(2 * number + 1)}, source="made up"
    )


def tries(asked: Problem, student: str, rng: random.Random) -> Iterator[Attempt]:
    ease, right = rng.betavariate(0.7, 0.7), int(asked.spec["expected"])
    for index in range(NUM_ATTEMPTS):
        num_words = min(7000, max(40, round(rng.lognormvariate(6.2, 0.8))))
        filler = " ".join(rng.choice(WORDS) for _ in range(num_words))
        answer = f"{filler}. The answer is {right if rng.random() < ease else right + 1}."
        yield Attempt(
            problem_id=asked.id,
            model_id=student,
            sampler="0123456789ab",
            index=index,
            seed=index,
            sampling={"temperature": 0.8, "max_tokens": 8192},
            messages=(Message(role="user", content=asked.prompt), Message(role="assistant", content=answer)),
            token_ids=(),
            token_logprobs=(),
            tokens_in=20,
            tokens_out=num_words,
            seconds=1.0,
            finish_reason="stop",
        )


def fill(workspace: Workspace) -> None:
    rng, student = random.Random(7), model_id(default_model())
    problems = [problem(domain, number) for domain, num in DOMAINS.items() for number in range(num)]
    write_part(workspace.parts, "course-problems", problems)
    write_part(workspace.parts, "course-attempts", [one for asked in problems for one in tries(asked, student, rng)])
    with open_store(workspace):
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    fill(Workspace.create(args.folder))
    recipe = args.folder / "course.toml"
    recipe.write_text(RECIPE)
    build, show = ["curriculum", "build", "--recipe", str(recipe)], ["curriculum", "show", "--plot", str(args.picture)]
    for command in (["judge"], ["score"], build, show):
        subprocess.run([sys.executable, "-m", "gradus", *command, "--workspace", str(args.folder)], check=True)


if __name__ == "__main__":
    main()
