"""Recorded answers, for tests and for judging again what was sampled elsewhere: no model runs.

`model` names a JSONL file of `{"ask": text, "answers": [text, …]}`; a request is answered by the line whose
`ask` is its last message, with the answer that its seed picks. Token ids are stand-ins: one a word. The file is read
through once, and then where an answer is; memory is 200 bytes a line, however long answers are.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradus.engine.sources.base import parse_line
from gradus.engine.teachers.base import Completion, Refusal, Request, Teacher, TeacherConfig, teachers
from gradus.errors import DataError

AT_ONCE = 64


@teachers.register("replay")
class ReplayTeacher(Teacher):
    """Says what a file says."""

    costly = False

    def __init__(self, config: TeacherConfig) -> None:
        self.model_id = self.identify(config)
        self._path = config.model
        self._places = {_digest(ask): place for ask, place in _read_asks(Path(self._path))}
        self._file = Path(self._path).open("rb")  # noqa: SIM115 - open as long as the teacher
        self._asked: deque[tuple[int, Request]] = deque()

    @staticmethod
    def identify(config: TeacherConfig) -> str:
        path = Path(config.model)
        if not path.is_file():
            raise DataError(f"{path}: no such recording; a replay teacher's model is a JSONL file")
        with path.open("rb") as file:
            return f"{path.stem}@{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"

    @property
    def room(self) -> int:
        return AT_ONCE - len(self._asked)

    def submit(self, name: int, request: Request) -> None:
        self._asked.append((name, request))

    def collect(self, timeout_s: float) -> list[tuple[int, Completion | Refusal]]:  # noqa: ARG002
        if not self._asked:
            return []
        name, request = self._asked.popleft()
        ask = request.messages[-1]["content"]
        place = self._places.get(_digest(ask))
        if place is None:
            raise DataError(f"{self._path}: nothing recorded for {ask[:60]!r}")
        self._file.seek(place)
        answers = json.loads(self._file.readline())["answers"]
        return [(name, _completion(request, answers[request.seed % len(answers)]))]

    def cancel(self) -> None:
        self._asked.clear()

    def load_weights(self, folder: str) -> None:
        raise DataError(f"a recording has no weights to replace by {folder}")

    def close(self) -> None:
        self._file.close()


def _read_asks(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each line's `ask`, and where the line begins."""
    place = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"{path}, line {number}"
                yield _checked(parse_line(line, where), where)["ask"], place
            place += len(line)


def _digest(ask: str) -> bytes:
    return hashlib.blake2b(ask.encode(), digest_size=16).digest()


def _checked(row: dict[str, Any], where: str) -> dict[str, Any]:
    answers = row.get("answers")
    texts = isinstance(answers, list) and answers and all(isinstance(answer, str) for answer in answers)
    if not texts or not isinstance(row.get("ask"), str):
        raise DataError(f'{where}: {{"ask": text, "answers": [text, …]}} is needed, with one answer at least')
    return row


def _completion(request: Request, text: str) -> Completion:
    asked = sum(len(message["content"].split()) for message in request.messages)
    words = text.split()
    return Completion(
        text=text,
        token_ids=tuple(range(len(words))),
        token_logprobs=tuple(0.0 for _ in words),
        prompt_token_ids=tuple(range(asked)),
        finish_reason="stop",
        seconds=0.0,
    )
