"""Which problems are varied in which way, one after another, the same for equal problems and settings.

Groups (skills; or one of everything) take turns by their weights, in a group the ways take turns, and in a way the
problems do, in an order drawn by the seed. So whatever has been tried is found again by a later run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from gradus.engine.records import Problem, content_id
from gradus.engine.varying.base import Way, ways
from gradus.engine.varying.config import VaryConfig
from gradus.errors import ConfigError

VARIED = "varied:"
"""Begins the tag of a new problem; such are not varied again."""


@dataclass(frozen=True, slots=True)
class Idea:
    """One variant to try: the number-th of these problems in this way."""

    way: str
    parents: tuple[Problem, ...]
    number: int
    group: str
    fits: Callable[[Problem], bool]

    @property
    def id(self) -> str:
        return content_id("vary", self.way, [parent.id for parent in self.parents], self.number, self.group)


@dataclass(frozen=True, slots=True)
class Group:
    """Problems that are varied for one reason, with their share of the whole."""

    name: str
    weight: float
    problems: Sequence[Problem]
    fits: Callable[[Problem], bool] = lambda _: True
    only: tuple[str, ...] = ()
    """The ways that may be used; empty: all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who can be varied how, and why the others cannot."""

    suited: Mapping[str, Mapping[str, Sequence[Problem]]]
    """By group and way; neither is empty."""
    refused: Mapping[str, Counter[str]]
    """By way: how many problems, by reason."""
    groups: Sequence[Group]
    _orders: dict[tuple[str, str, int], list[int]] = field(default_factory=dict)
    _partners: dict[tuple[str, str], list[Problem]] = field(default_factory=dict)

    def ideas(self, seed: int) -> Iterator[Idea]:
        """Yield what to try, without end."""
        given: Counter[str] = Counter()
        total = sum(group.weight for group in self.groups)
        for number in count(1):
            group = max(self.groups, key=lambda g: g.weight / total * number - given[g.name])
            yield self._idea(group, given[group.name], seed)
            given[group.name] += 1

    def _idea(self, group: Group, turn: int, seed: int) -> Idea:
        suited = self.suited[group.name]
        names = list(suited)
        name, turn = names[turn % len(names)], turn // len(names)
        order = self._order(group.name, name, seed)
        first = suited[name][order[turn % len(order)]]
        number = turn // len(order)
        parents = (first, *self._others(name, first, random.Random(f"{seed}/{number}/{first.id}")))
        return Idea(name, parents, number, group.name, group.fits)

    def _order(self, group: str, way: str, seed: int) -> list[int]:
        key = group, way, seed
        if key not in self._orders:
            num = len(self.suited[group][way])
            self._orders[key] = random.Random(f"{seed}/{group}/{way}").sample(range(num), num)
        return self._orders[key]

    def _others(self, way: str, first: Problem, rng: random.Random) -> list[Problem]:
        """Draw the other parents, of the same domain."""
        key = way, first.domain
        if key not in self._partners:
            every = {
                p.id: p for by_way in self.suited.values() for p in by_way.get(way, ()) if p.domain == first.domain
            }
            self._partners[key] = list(every.values())
        wanted = ways[way].num_parents - 1
        drawn = rng.sample(self._partners[key], wanted + 1) if wanted else []
        return [problem for problem in drawn if problem.id != first.id][:wanted]


def make_plan(groups: Sequence[Group], config: VaryConfig) -> Plan:
    """Find out which problems each way can vary; ConfigError says why, if it is none."""
    suited: dict[str, dict[str, list[Problem]]] = {}
    refused: dict[str, Counter[str]] = {name: Counter() for name in config.ways}
    for group in groups:
        for name in (way for way in config.ways if not group.only or way in group.only):
            fit = [p for p in group.problems if _suits(ways[name], p, refused[name])]
            if fit:
                suited.setdefault(group.name, {})[name] = fit
    _drop_lonely(suited, refused)
    able = [group for group in groups if group.name in suited]
    if not able:
        told = "; ".join(f"{name}: {num} {reason}" for name, why in refused.items() for reason, num in why.items())
        raise ConfigError(f"no problem can be varied: {told or 'there is none'}")
    return Plan(suited, refused, able)


def _suits(way: Way, problem: Problem, refused: Counter[str]) -> bool:
    if reason := way.refuses(problem):
        refused[reason] += 1
    return not reason


def _drop_lonely(suited: dict[str, dict[str, list[Problem]]], refused: dict[str, Counter[str]]) -> None:
    """Leave out problems that find no second one of their domain where a way needs two."""
    for name in refused:
        if ways[name].num_parents > 1:
            every = {p.id: p.domain for by_way in suited.values() for p in by_way.get(name, ())}
            domains = Counter(every.values())
            for by_way in suited.values():
                fit = [p for p in by_way.pop(name, []) if domains[p.domain] > 1]
                by_way |= {name: fit} if fit else {}
            lonely = sum(num for num in domains.values() if num == 1)
            refused[name] += Counter({"no second problem of the domain": lonely} if lonely else {})
    for group in [group for group, by_way in suited.items() if not by_way]:
        del suited[group]
