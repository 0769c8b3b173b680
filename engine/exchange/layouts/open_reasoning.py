"""NVIDIA's OpenMathReasoning, OpenCodeReasoning and OpenScienceReasoning.

Mathematics: `problem`, `expected_answer`, `problem_type`, `problem_source`, `generated_solution`, `generation_model`,
`inference_mode`, `pass_rate_72b_tir` (text; a prior), `used_in_kaggle`. Code: `id`, `input` (`-` where it may not be
repeated), `output`, `source`, `license`, `dataset`, `split`, `difficulty`, `solution`. Science: the question as
`problem` or `input`, the answer as `generated_solution` or `output`, and `expected_answer`.
"""

from __future__ import annotations

from typing import Any

from gradus.engine.exchange.answers import answered, has_value
from gradus.engine.exchange.conversation import question_and_answer
from gradus.engine.exchange.layouts.base import Found, Row, Told, UnusableError, imported, layouts, text_of
from gradus.engine.records import Problem

PRIOR_MODEL = "Qwen2.5-Math-72B-Instruct (TIR)"
MAJORITY = "expected:majority"
"""The tag of problems whose expected answer is only what most solutions say."""


@layouts.register("open-math-reasoning")
def open_math_reasoning(row: Row, told: Told) -> Found:
    """Converted proofs, which have no answer to check, and choices among solutions give nothing."""
    if row["problem_type"] == "converted_proof":
        raise UnusableError("converted proof: its answer cannot be trusted")
    if row["inference_mode"] == "genselect":
        raise UnusableError("genselect: it chooses among solutions instead of solving")
    tags = told.tags if row["problem_type"] == "has_answer_extracted" else (*told.tags, MAJORITY)
    problem = answered(row["problem"], row["expected_answer"], domain="math", source=told.source, tags=tags)
    rate = _pass_rate(row.get("pass_rate_72b_tir"))
    prior = (PRIOR_MODEL, rate) if rate is not None else None
    return _found(row, told, problem, domain="math", prior=prior)


@layouts.register("open-code-reasoning")
def open_code_reasoning(row: Row, told: Told) -> Found:
    """Conversations only: the tests are elsewhere."""
    return _found(row, told, None, domain="code")


@layouts.register("open-science-reasoning")
def open_science_reasoning(row: Row, told: Told) -> Found:
    """A problem where the answer is a letter or a number."""
    question = text_of(row, "problem", "input")
    problem = answered(question, row.get("expected_answer"), domain="stem", source=told.source, tags=told.tags)
    return _found(row, told, problem, domain="stem")


def _found(
    row: Row, told: Told, problem: Problem | None, *, domain: str, prior: tuple[str, float] | None = None
) -> Found:
    question, answer = text_of(row, "problem", "input"), text_of(row, "generated_solution", "output")
    trace = None
    if has_value(answer):
        teacher = text_of(row, "generation_model") or told.source
        trace = imported(question_and_answer(question, answer), domain=domain, teacher=teacher, problem=problem)
    if not problem and not trace:
        raise UnusableError("nothing to learn: neither an answer that can be verified nor a solution")
    return Found(problem=problem, trace=trace, row=text_of(row, "id"), licence=text_of(row, "license"), prior=prior)


def _pass_rate(value: Any) -> float | None:
    """Return a share of passes in [0, 1]; None for `n/a` and everything else that is none."""
    try:
        rate = float(value)
    except (TypeError, ValueError):
        return None
    return rate if 0 <= rate <= 1 else None
