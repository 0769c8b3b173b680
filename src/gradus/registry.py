"""Plug-ins: one file in a folder, one decorator, found by name.

A registry imports every module of its package when first asked, then the entry points of the group
with the package's name, so a plug-in may live in another distribution.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from gradus.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """The plug-ins of one package, by name."""

    def __init__(self, package: str, noun: str) -> None:
        self.package, self.noun = package, noun
        self._items: dict[str, T] = {}
        self._complete = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a class or function to make it known as name."""

        def keep(item: T) -> T:
            self._items[name] = item
            return item

        return keep

    def names(self) -> list[str]:
        """Return all known names, sorted."""
        self._discover()
        return sorted(self._items)

    def __getitem__(self, name: str) -> T:
        self._discover()
        if name not in self._items:
            raise ConfigError(f"no {self.noun} {name!r}. Known: {', '.join(self.names())}.")
        return self._items[name]

    def _discover(self) -> None:
        if self._complete:
            return
        self._complete = True
        for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        for point in entry_points(group=self.package):
            point.load()
