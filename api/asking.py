"""Have a recipe's teacher asked: behind the cache, within the budget, and with counts that add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradus.api.progress import progress
from gradus.curricula.recipe import Recipe
from gradus.engine.answers import Feed, Listed, Sampled, Sink, sample
from gradus.engine.cache import ResponseCache
from gradus.engine.cached_teacher import CachedTeacher
from gradus.engine.sample import Ask, SampleConfig, drop_id, dropped
from gradus.engine.spending import FREE, Budget, Purse, open_purse
from gradus.engine.store import Store
from gradus.engine.targets import Targeted, past_attempts
from gradus.engine.teachers.base import Teacher, TeacherConfig, teachers
from gradus.engine.unmade import Chosen
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError
from gradus.verifiers.pool import Judges

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
    rank: int = 0
    """Of who asks, among several that do at once; each has a budget of its own."""

    def listed(self, store: Store, asks: Sequence[Ask], total: int) -> Listed:
        """Return a feed of those asks that have not been refused for good; total counts those made as well."""
        refused = dropped(store, self.run)
        fresh = list(self._open(asks, refused))
        return Listed(fresh, left=len(fresh), there=total - len(fresh))

    def feed(self, chosen: Chosen, config: SampleConfig, judges: Judges) -> Feed:
        """Return what is still to be asked about an open store's problems; where passes count, it judges as it goes."""
        refused = dropped(chosen.store, self.run)
        if not (config.until_passed or config.budget.passed):
            left = sum(1 for _ in self._open(chosen.unmade(config, self.model_id), refused))
            asks = self._open(chosen.unmade(config, self.model_id), refused)
            return Listed(asks, left=left, there=config.planned(chosen.by_domain()) - left)
        problems = list(chosen)
        past = past_attempts(chosen.store, problems, config, self.model_id)
        feed = Targeted(config, judges, model_id=self.model_id, refused=refused)
        for problem in problems:
            feed.add(problem, past.get(problem.id, ()))
        return feed

    def _open(self, asks: Iterable[Ask], refused: set[str]) -> Iterator[Ask]:
        return (ask for ask in asks if not refused or drop_id(ask, self.model_id) not in refused)

    @property
    def purse(self) -> Purse:
        """Open the purse of this step and model."""
        price = self.recipe.prices.get(self.teacher.model, FREE)
        root = self.workspace.root
        return open_purse(root, self.run, self.model_id, budget=self.budget, price=price, rank=self.rank)

    def ask(self, feed: Feed, store: Store) -> dict[str, Any]:
        """Have feed's attempts made, and see that the database takes in every one."""
        if not (feed.left or feed.judging):
            return self.make(feed)
        before = self.records(store)
        with progress(self.run, feed.left) as advance:
            counts = self.make(feed, advance)
        store.sync(self.workspace.parts)
        arrived = self.records(store) - before
        if arrived != counts["made"] + counts["refused"]:
            made = f"{counts['made']} attempts were made and {counts['refused']} refused"
            raise WorkspaceError(f"{self.workspace.root}: {made}, but the database took in {arrived} in all")
        return counts

    def make(self, feed: Feed, advance: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Make the attempts that feed asks for, in parts alone; say what became of them, and what they cost."""
        purse, result = self.purse, Sampled()
        if feed.left or feed.judging:
            with self._opened() as teacher:
                sink = Sink(self.workspace.parts, self.run, rank=self.rank)
                result = sample(feed, teacher, sink, purse=purse, advance=advance)
        spent = {"spent": asdict(purse.ledger.now), "spent_in_all": asdict(purse.ledger.total)}
        return {**asdict(result), "left": feed.left, **spent}

    def records(self, store: Store) -> int:
        """Count the records that this step adds to: attempts, and its drops."""
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
