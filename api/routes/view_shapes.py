"""What the page's views answer. Every field is named: one that is not is a mistake of ours, not something to send."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from gradus.api.routes.base import Outcome
from gradus.api.routes.problems import ProblemRow
from gradus.api.routes.traces import TraceRow


class Shape(BaseModel):
    """A record with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class HistogramRow(Shape):
    """How many problems of a domain a model passes in [tenth, tenth + 1) tenths of its attempts; 1 is in the last."""

    model_id: str
    domain: str
    tenth: int = Field(ge=0, le=9)
    problems: int


class FunnelRow(Shape):
    """How many records are at a step."""

    step: str
    records: int


class FitRow(Shape):
    """How a student reads a teacher's traces of a domain, with 95% intervals; `gradus compare-teachers` says more."""

    student: str
    definition: str
    domain: str
    teacher: str
    traces: int
    problems: int
    rsr: float | None = Field(description="rank-surprisal ratio")
    rsr_low: float | None
    rsr_high: float | None
    local_nll: float | None
    local_nll_low: float | None
    local_nll_high: float | None
    nll: float | None
    tokens: float | None = Field(description="a trace, on the whole")


class RateRow(Shape):
    """Mean pass@1 over n problems with Wilson's interval. stage is empty for all problems, `rl` for those of RL."""

    stage: str
    domain: str
    model: str
    n: int
    attempts: int
    rate: float | None
    low: float | None
    high: float | None


class StageLengths(Shape):
    """How long a stage's traces are and how full its sequences, as counts by equal parts of the context length."""

    name: str
    context_length: int
    token_budget: int
    num_traces: int
    num_tokens: int
    num_sequences: int
    waste: float = Field(description="the share of the sequences that stays empty")
    mixture: dict[str, float]
    quantiles: dict[str, int]
    lengths: list[int]
    fill: list[int]


class AnswerLengths(Shape):
    """How many answers have from 2^(bin/2) up to 2^((bin+1)/2) tokens."""

    model: str
    bin: int
    answers: int


class Lengths(Shape):
    """Of a manifest, if there is one; and of all answers."""

    manifest: str | None
    stages: list[StageLengths]
    answers: list[AnswerLengths]


class JudgedAnswer(Shape):
    """An attempt with its newest verdict, if there is one; and how many corrections it has."""

    id: str
    model: str
    policy_version: str
    sampler: str
    index: int
    answer: str
    tokens_out: int
    finish_reason: str
    failed_attempt_id: str | None
    outcome: Outcome | None
    score: float | None
    reason: str | None
    verifier_version: str | None
    corrections: int


class Said(Shape):
    """What a step or a person said of a record; who and at are empty for steps."""

    what: str
    reason: str
    who: str
    at: str


class CuratedState(Shape):
    """How a record stands."""

    excluded: bool
    weight: float
    labels: list[str]


class TraceInShort(Shape):
    """A trace by its id."""

    id: str
    kind: str
    teacher: str
    failed_attempt_id: str | None


class Variant(Shape):
    """A problem that was made of this one."""

    id: str
    prompt: str


class ProblemView(Shape):
    """What belongs to a problem."""

    attempts: list[JudgedAnswer]
    traces: list[TraceInShort]
    children: list[Variant]
    said: list[Said]
    curated: CuratedState


class RevisionView(Shape):
    """How an attempt was corrected: kept up to its first wrong step, and said anew from there."""

    step: int | None = Field(description="the first wrong one, from 1; null where the correction names none")
    why: str
    kept: int = Field(description="characters of the failed answer that stay")
    text: str
    kinds: list[str] | None


class TraceView(Shape):
    """A trace with all that it comes from; each null where it does not apply."""

    trace: TraceRow
    problem: ProblemRow | None
    attempt: JudgedAnswer | None
    failed: JudgedAnswer | None
    revision: RevisionView | None
    corrected: str | None = Field(description="the whole answer that a correction comes to")
    said: list[Said]
    curated: CuratedState


class Column(Shape):
    """A column and its type, as SQL has it."""

    name: str
    type: str


class TableView(Shape):
    """A table or view that SQL may ask."""

    name: str
    columns: list[Column]
