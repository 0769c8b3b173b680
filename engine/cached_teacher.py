"""A teacher behind a response cache: asked only what the cache does not hold, and opened only when that happens."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from gradus.engine.cache import ResponseCache, key_of
from gradus.engine.teachers.base import Completion, Refusal, Request, Teacher

HITS_HELD = 1024


class CachedTeacher(Teacher):
    """Has a teacher's name and verbs. Not for a policy that is being trained: its weights move on."""

    def __init__(self, cache: ResponseCache, model_id: str, opening: AbstractContextManager[Teacher]) -> None:
        self.model_id = model_id
        self._cache, self._opening = cache, opening
        self._teacher: Teacher | None = None
        self._found: list[tuple[int, Completion | Refusal]] = []
        self._names: dict[bytes, list[int]] = {}
        """By key: who waits for an answer that has been asked for; the first of them pays."""
        self._keys: dict[int, bytes] = {}

    @property
    def room(self) -> int:
        waiting = max(0, HITS_HELD - len(self._found))
        return min(waiting, self._teacher.room) if self._teacher else waiting

    def submit(self, name: int, request: Request) -> None:
        key = key_of(self.model_id, request)
        if key in self._names:
            self._names[key].append(name)
        elif found := self._cache.get(key):
            self._found.append((name, found))
        else:
            self._names[key], self._keys[name] = [name], key
            self._opened().submit(name, request)

    def collect(self, timeout_s: float) -> list[tuple[int, Completion | Refusal]]:
        found, self._found = self._found, []
        if not self._names:
            return found
        fresh = self._opened().collect(0.0 if found else timeout_s)
        made = [(self._keys[name], answer) for name, answer in fresh if isinstance(answer, Completion)]
        if made:
            self._cache.put(self.model_id, made)
        for name, answer in fresh:
            others = self._names.pop(self._keys.pop(name))[1:]
            again = replace(answer, cached=True) if isinstance(answer, Completion) else answer
            found += [(name, answer), *((other, again) for other in others)]
        return found

    def cancel(self) -> None:
        self._found, self._names, self._keys = [], {}, {}
        if self._teacher:
            self._teacher.cancel()

    def load_weights(self, folder: str) -> None:
        teacher = self._opened()
        teacher.load_weights(folder)
        self.model_id = teacher.model_id

    def close(self) -> None:
        if self._teacher:
            self._teacher = None
            self._opening.__exit__(None, None, None)

    def _opened(self) -> Teacher:
        if self._teacher is None:
            self._teacher = self._opening.__enter__()
        return self._teacher
