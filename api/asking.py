"""Have a recipe's teacher asked: behind the cache, within the budget, and with counts that add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradus.api.progress import progress
from gradus.curricula.recipe import Recipe
from gradus.engine.answers import Feed, Listed, Sampled, Sink, sample
from gradus.engine.cache import ResponseCache
from gradus.engine.cached_teacher import CachedTeacher
from gradus.engine.judges import Judges
from gradus.engine.records import Problem
from gradus.engine.sample import Ask, SampleConfig, attempts_done, drop_id, dropped, plan
from gradus.engine.spending import FREE, Budget, Purse, open_purse
from gradus.engine.store import Store, open_store
from gradus.engine.targets import Targeted, past_attempts
from gradus.engine.teachers.base import Teacher, TeacherConfig, teachers
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

Open = Callable[[TeacherConfig], AbstractContextManager[Teacher]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked, in which step, and within which budget."""

    workspace: Workspace
    recipe: Recipe
    teacher: TeacherConfig
    model_id: str
    run: str
    opening: Open
    budget: Budget = Budget()

    def listed(self, store: Store, asks: Sequence[Ask], total: int) -> Listed:
        """Return a feed of those asks that have not been refused for good; total counts those made as well."""
        refused = dropped(store, self.run)
        fresh = [ask for ask in asks if not refused or drop_id(ask, self.model_id) not in refused]
        return Listed(fresh, there=total - len(fresh))

    def feed(self, store: Store, problems: Sequence[Problem], config: SampleConfig, judges: Judges) -> Feed:
        """Return what is still to be asked about problems; where passes count, it judges as it goes."""
        if not (config.until_passed or config.budget.passed):
            asks = plan(problems, config, attempts_done(store, self.model_id))
            return self.listed(store, asks, len(problems) * config.num_attempts)
        past = past_attempts(store, problems, config, self.model_id)
        feed = Targeted(config, judges, model_id=self.model_id, refused=dropped(store, self.run))
        for problem in problems:
            feed.add(problem, past.get(problem.id, ()))
        return feed

    def ask(self, feed: Feed) -> dict[str, Any]:
        """Make the attempts that feed asks for; say what became of them, and what they cost."""
        price = self.recipe.prices.get(self.teacher.model, FREE)
        purse = open_purse(self.workspace.root, self.run, self.model_id, budget=self.budget, price=price)
        result = self._sample(feed, purse) if feed.left or feed.judging else Sampled()
        spent = {"spent": asdict(purse.ledger.now), "spent_in_all": asdict(purse.ledger.total)}
        return {**asdict(result), "left": feed.left, **spent}

    def _sample(self, feed: Feed, purse: Purse) -> Sampled:
        with open_store(self.workspace) as store:
            before = self._records(store)
        sink = Sink(self.workspace.parts, self.run)
        with self._opened() as teacher, progress(self.run, feed.left) as advance:
            result = sample(feed, teacher, sink, purse=purse, advance=advance)
        with open_store(self.workspace) as store:
            arrived = self._records(store) - before
        if arrived != result.made + result.refused:
            made = f"{result.made} attempts were made and {result.refused} refused"
            raise WorkspaceError(f"{self.workspace.root}: {made}, but the database took in {arrived} in all")
        return result

    def _records(self, store: Store) -> int:
        query = "SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM drops WHERE step = $run) AS n"
        return int(store.rows(query, {"run": self.run})[0]["n"])

    @contextmanager
    def _opened(self) -> Iterator[Teacher]:
        if not (self.recipe.cache.use and teachers[self.teacher.kind].costly):
            with self.opening(self.teacher) as teacher:
                yield teacher
            return
        with (
            closing(ResponseCache(cache_folder(self.workspace, self.recipe))) as cache,
            closing(CachedTeacher(cache, self.model_id, self.opening(self.teacher))) as cached,
        ):
            yield cached


def cache_folder(workspace: Workspace, recipe: Recipe) -> Path:
    """Return where a recipe's answers are kept."""
    return Path(recipe.cache.folder) if recipe.cache.folder else workspace.root / "cache"


def told(counts: dict[str, Any]) -> str:
    """Say what `ask` returned: what was not made and why, and what it cost."""
    spent, lines = counts["spent"], []
    if counts["refused"]:
        lines.append(f"{counts['refused']} refused for good: see the table drops")
    if counts["failed"]:
        lines.append(f"{counts['failed']} failed, the last by {counts['failure']}")
    if counts["stopped"] and counts["left"]:
        lines.append(f"stopped at the budget of {counts['stopped']}; with a larger one the same command goes on")
    elif counts["left"]:
        lines.append(f"{counts['left']} are left: the same command asks again")
    if spent["answers"] or spent["cached"]:
        tokens = f"{spent['tokens_in']:,} + {spent['tokens_out']:,} tokens"
        money = f", {spent['money']:.4f} of money" if spent["money"] else ""
        lines.append(f"{spent['answers']} answers paid for ({tokens}{money}), {spent['cached']} out of the cache")
    return "".join(f"\n{line}" for line in lines)
