"""What teachers are asked on the way to new problems: to write a draft, and to solve it.

Attempts at a draft stand under the draft's own id, so they count for no problem's difficulty: they chose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from gradus.engine.records import Message, content_id
from gradus.engine.sample import Ask
from gradus.engine.store import Store
from gradus.engine.varying.base import Draft
from gradus.engine.varying.config import VaryConfig

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a teacher said."""

    text: str
    finish_reason: str


Key = tuple[int, str, str, int]
"""Names an ask: place of the teacher, draft or idea, sampler, index."""


def writing_ask(idea_id: str, messages: tuple[Message, ...], config: VaryConfig) -> Ask:
    """Return the ask for a draft."""
    sampler = "vary-write-" + content_id(asdict(config.write))[:12]
    return Ask(
        problem_id=idea_id, messages=messages, sampler=sampler, sampling=config.write, seed=_seed(idea_id), index=0
    )


def solving_asks(draft: Draft, config: VaryConfig, num_teachers: int) -> list[tuple[int, Ask]]:
    """Return the asks for solutions, each with the place of the teacher; styles take turns, then teachers."""
    styles = config.styles_of(draft.domain)
    asks = []
    for index in range(config.solutions):
        style = styles[index % len(styles)]
        ask = Ask(
            problem_id=draft.id,
            messages=style.messages(draft.prompt),
            sampler="vary-solve-" + content_id(asdict(style), asdict(config.solve))[:12],
            sampling=config.solve,
            seed=config.seed + index,
            index=index,
        )
        asks.append((index // len(styles) % num_teachers, ask))
    return asks


def key_of(teacher: int, ask: Ask) -> Key:
    """Name an ask."""
    return teacher, ask.problem_id, ask.sampler, ask.index


def answers(store: Store, asks: Sequence[tuple[int, Ask]], model_ids: Sequence[str]) -> dict[Key, Answer]:
    """Return what the store holds of these asks' answers."""
    ids = sorted({ask.problem_id for _, ask in asks})
    wanted = {(model_ids[teacher], *key_of(teacher, ask)[1:]): key_of(teacher, ask) for teacher, ask in asks}
    found: dict[Key, Answer] = {}
    for start in range(0, len(ids), AT_ONCE):
        for row in store.named("vary_answers", {"ids": ids[start : start + AT_ONCE]}):
            key = wanted.get((row["model_id"], row["problem_id"], row["sampler"], row["index"]))
            if key:
                found[key] = Answer(row["answer"], row["finish_reason"])
    return found


def _seed(idea_id: str) -> int:
    """Return a seed of the idea's own: another variant of the same problem is asked for in the same words."""
    return int(idea_id[:7], 16)
