"""Several teachers who are asked again and again: each opened once, what they said kept, what it cost added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field

from gradus.api.asking import Asking, Open
from gradus.curricula.recipe import Recipe
from gradus.engine.records import canonical_json
from gradus.engine.sample import Ask, drop_id, dropped
from gradus.engine.spending import Spent
from gradus.engine.store import Store
from gradus.engine.teachers.base import Teacher, TeacherConfig, teachers
from gradus.engine.varying.asks import Answer, Key, answers, key_of
from gradus.engine.workspace import Workspace

RUN = "vary"
REFUSED = Answer("", "refused")


@dataclass(slots=True)
class Crew:
    """The teachers, and what asking them has come to."""

    workspace: Workspace
    recipe: Recipe
    opening: Open
    store: Store
    asked: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    stopped: str = ""
    spent: Spent = Spent()

    @property
    def teachers(self) -> tuple[TeacherConfig, ...]:
        return self.recipe.vary.teachers or (self.recipe.teacher,)

    @property
    def model_ids(self) -> list[str]:
        return [teachers[one.kind].identify(one) for one in self.teachers]

    def ask(self, asks: Sequence[tuple[int, Ask]]) -> dict[Key, Answer]:
        """Return the answers, asking for those that are not there; what is refused for good is an empty one."""
        unique = {key_of(*one): one for one in asks}
        if not unique:
            return {}
        there = answers(self.store, list(unique.values()), self.model_ids)
        missing = [one for key, one in unique.items() if key not in there]
        for who in sorted({who for who, _ in missing}):
            self._ask_one(who, [ask for other, ask in missing if other == who])
        gone = dropped(self.store, RUN)
        said = answers(self.store, list(unique.values()), self.model_ids)
        refused = (key for key, (who, ask) in unique.items() if drop_id(ask, self.model_ids[who]) in gone)
        return dict.fromkeys(refused, REFUSED) | said

    def _ask_one(self, teacher: int, asks: Sequence[Ask]) -> None:
        asking = Asking(
            workspace=self.workspace,
            recipe=self.recipe,
            teacher=self.teachers[teacher],
            model_id=self.model_ids[teacher],
            run=RUN,
            opening=self.opening,
            budget=self.recipe.vary.budget,
        )
        counts = asking.ask(asking.listed(self.store, asks, len(asks)), self.store)
        self.asked.update({name: counts[name] for name in ("made", "refused", "failed", "left")})
        self.failure, self.stopped = counts["failure"] or self.failure, counts["stopped"] or self.stopped
        self.spent += Spent(**counts["spent"])


@contextmanager
def held_open(opening: Open) -> Iterator[Open]:
    """Open each teacher once, when it is first asked, and close all in the end: every round asks them."""
    held: dict[str, Teacher] = {}
    with ExitStack() as stack:

        @contextmanager
        def again(config: TeacherConfig) -> Iterator[Teacher]:
            key = canonical_json(asdict(config))
            if key not in held:
                held[key] = stack.enter_context(opening(config))
            yield held[key]

        yield again
