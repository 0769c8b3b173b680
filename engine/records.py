"""The records that flow, identified by their content. Standard library only.

An id is the SHA-256, in hex, of the canonical JSON of what makes the record that record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

DOMAINS = ("math", "code", "instruction", "stem", "tool")
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
HELDOUT = "heldout"
"""The tag of problems that are only ever evaluated on."""


class ToolCall(TypedDict, total=False):
    """A call of a tool; id is there where a result refers to it."""

    name: str
    arguments: Mapping[str, Any]
    id: str


class Message(TypedDict, total=False):
    """One turn of a chat; reasoning is what the model thought before content.

    Roles: system, user, assistant, tool. content is always there, empty where an assistant only calls tools. A tool's
    turn may say which tool and call it answers.
    """

    role: str
    content: str
    reasoning: str
    tool_calls: Sequence[ToolCall]
    name: str
    tool_call_id: str
    given: int
    """So many of content's first characters are not learned, where the rest of the turn is."""


def content_id(*parts: Any) -> str:
    """Return the SHA-256 of the canonical JSON of parts."""
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: equal data, equal text."""
    return CANONICAL.encode(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A prompt, and the verifier with its keyword arguments that judges answers to it."""

    prompt: str
    domain: str
    verifier: str
    spec: Mapping[str, Any]
    source: str
    parents: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return content_id(self.prompt, self.verifier, self.spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One answer of one model. messages ends with the answer; seed and index make it repeatable."""

    problem_id: str
    model_id: str
    sampler: str
    """Names the prompt template and sampling settings: difficulty is per (problem, model, sampler)."""
    index: int
    """Which of the sampler's attempts at this problem, from 0."""
    seed: int
    sampling: Mapping[str, Any]
    messages: tuple[Message, ...]
    token_ids: tuple[int, ...]
    token_logprobs: tuple[float, ...]
    """Natural logarithms under the sampling model, one per token of the answer."""
    tokens_in: int
    seconds: float
    finish_reason: str
    tokens_out: int = 0
    """As the endpoint counts them, for where it gives no token ids."""
    policy_version: str = ""
    """The training step whose weights answered; empty for a fixed model."""
    failed_attempt_id: str | None = None
    """Set on corrections: the failed attempt that the model was shown."""

    @property
    def id(self) -> str:
        request = self.messages[:-1], self.model_id, self.policy_version, self.sampling, self.seed
        # Two failures of one problem may be asked about in the same words.
        return content_id(self.problem_id, self.sampler, request, self.index, self.failed_attempt_id)

    @property
    def answer(self) -> str:
        return self.messages[-1]["content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAttempt:
    """A verdict as it is stored: under the attempt, the verifier and its version."""

    attempt_id: str
    verifier: str
    version: str
    outcome: str
    score: float
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What training sees: a conversation whose last turn is verified."""

    kind: Literal["cot", "correction", "imported"]
    domain: str
    messages: tuple[Message, ...]
    learn: tuple[bool, ...]
    """One flag a message: does training learn to say it?"""
    problem_id: str
    attempt_id: str
    failed_attempt_id: str | None = None
    teacher: str = ""

    @property
    def id(self) -> str:
        return content_id(self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """What kind of mistake a failed attempt makes; see engine/making/kinds."""

    attempt_id: str
    version: int
    """Of the domain's rules."""
    verdict: str
    """The version under which the attempt was judged."""
    kinds: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A correction that passed, taken apart; see engine/making/revise.py."""

    attempt_id: str
    version: int
    step: int | None
    """The first wrong step of the failed answer, from 1; None where the correction names none."""
    kept: int
    """So many characters of the failed answer stay."""
    shown: int
    """So many go up to the end of the first wrong step."""
    why: str
    text: str
    """What comes instead of the rest; without a step, the whole answer."""
    fault: str
    """Why the correction is not kept; empty: it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceShape:
    """How a trace is built, in what training learns of it; engine/making/shape.py defines the counts."""

    trace_id: str
    version: int
    """Of the definitions."""
    num_steps: int
    num_numbered: int
    num_checks: int
    num_restarts: int
    num_words: int
    num_chars: int
    reasoning_share: float
    """Of the characters, those of the thoughts."""
    num_equations: int
    num_holding: int
    num_failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A record that a step left out, and why."""

    record_id: str
    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an imported problem or trace comes from."""

    record_id: str
    source: str
    row: str
    """The row's own id, or its place in the source."""
    licence: str
    """As the source states it; empty if it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Another's pass rate of a problem: a first guess at its difficulty, kept apart from what we measured."""

    problem_id: str
    model_id: str
    pass_rate: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What became of one try to make a new problem from old ones."""

    id: str
    way: str
    group: str
    """The skill that it was made for, if it was for one."""
    parents: tuple[str, ...]
    prompt: str
    """As it was drafted; empty if it did not come to that."""
    problem_id: str
    """Empty if it was not accepted: then reason says why."""
    reason: str
    num_solutions: int
    num_agreed: int
    share: float | None
    """Of the solutions, those that agree; None where none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFit:
    """How a student reads a trace. Means over learned tokens, in nats; a rank of 1 is the likeliest token's."""

    trace_id: str
    model_id: str
    definition: str
    """Names the template and what the numbers mean: only equal definitions compare."""
    scorer: str
    num_tokens: int
    num_steps: int
    nll: float
    rank: float
    local_nll: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What someone said of a problem or trace. Never changed: what is said later counts."""

    record_id: str
    kind: Literal["problem", "trace"]
    action: Literal["label", "exclude", "restore", "weight"]
    value: str
    """The label's name, or the weight. Of `restore`: the label that is taken back; empty for the exclusion."""
    actor: str
    reason: str
    at: str
    """In UTC, as 2026-11-22T06:00:00.123456Z."""

    @property
    def id(self) -> str:
        return content_id(self.record_id, self.action, self.value, self.actor, self.reason, self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The counts of one step; in = out + dropped, or the step is not complete."""

    step: str
    num_in: int = 0
    num_out: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
