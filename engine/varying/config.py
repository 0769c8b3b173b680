"""The recipe's section `[vary]`: how new problems are made from old ones, and what makes them believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gradus.engine.prompts import PromptConfig
from gradus.engine.spending import Budget
from gradus.engine.teachers.base import SamplingConfig, TeacherConfig

BOXED = (
    "put the final answer in \\boxed{}. If there is no answer, or more than one, put the word impossible in the box."
)
MATHEMATICS = (
    PromptConfig(user="{prompt}\n\nThink step by step, and " + BOXED),
    PromptConfig(
        system="You trust no result before you have checked it in a second way.",
        user="{prompt}\n\nSay first what is given and what is asked. Work it out, check the result, and " + BOXED,
    ),
)
CODE = (
    PromptConfig(user="{prompt}\n\nGive the whole program in one block of code."),
    PromptConfig(user="{prompt}\n\nName the special cases first. Then give the whole program in one block of code."),
)
OTHER = (PromptConfig(), PromptConfig(system="Read carefully what is asked for, and give exactly that."))
STYLES = {"math": MATHEMATICS, "stem": MATHEMATICS, "code": CODE}


@dataclass(frozen=True, slots=True, kw_only=True)
class VaryConfig:
    """Which problems are varied and how, and how many solutions must agree."""

    num: int = 100
    """New problems wanted."""
    ways: tuple[str, ...] = ("numbers", "rewrite", "compose")
    tag: str = ""
    """Vary only problems with this tag."""
    aligned: str = ""
    """The tag of a validation set: vary what the student fails there, and copy none of it."""
    seed: int = 0
    tries: int = 4
    """Variants tried for each one wanted, at most."""
    solutions: int = 6
    """Solutions of each variant, spread over styles and teachers."""
    agree: int = 4
    """So many must agree: more than half."""
    trust_computed: bool = False
    """Believe an answer that a program computed without asking a teacher."""
    compose: Literal["both", "template", "teacher"] = "both"
    teachers: tuple[TeacherConfig, ...] = ()
    """Who solves, in turn; the first also writes. None: the recipe's teacher."""
    write: SamplingConfig = SamplingConfig(temperature=1.0, max_tokens=1024, logprobs=False)
    solve: SamplingConfig = SamplingConfig(temperature=0.7, max_tokens=2048, logprobs=False)
    styles: dict[str, tuple[PromptConfig, ...]] = field(default_factory=dict)
    """By domain: the ways a solution is asked for; ours where none are given."""
    budget: Budget = Budget()

    def __post_init__(self) -> None:
        if self.num < 1 or self.tries < 1:
            raise ValueError(f"num and tries must be at least 1, not {self.num} and {self.tries}")
        if not self.solutions / 2 < self.agree <= self.solutions:
            raise ValueError(f"agree must be more than half of the {self.solutions} solutions, not {self.agree}")
        if self.budget.passed:
            raise ValueError("budget.passed has no meaning here: num says how many problems are wanted")
        if few := [domain for domain, styles in self.styles.items() if len(styles) < 2]:
            raise ValueError(f"styles.{few[0]} needs at least two: one style may mislead all solutions alike")

    def styles_of(self, domain: str) -> tuple[PromptConfig, ...]:
        """Return the ways in which a solution is asked for."""
        return self.styles.get(domain) or STYLES.get(domain, OTHER)
