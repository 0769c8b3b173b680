"""Render a conversation with the student's own chat template, and mark what it learns to say.

A message's tokens are those whose characters begin inside the text that the template adds for it. Of an
assistant's message the model learns the content and the end-of-turn token, not the header before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradus.curricula.manifest import tokenizer_fingerprint
from gradus.engine.records import Message
from gradus.errors import DataError


class Renderer:
    """A student's tokenizer and chat template."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        if not self._tokenizer.chat_template:
            raise DataError(f"{folder}: the tokenizer has no chat template")
        self.fingerprint = tokenizer_fingerprint(folder)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids of a conversation that awaits the assistant."""
        text = self._text(messages, generate=True)
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def trace(self, messages: Sequence[Message], learn: Sequence[bool]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        """Return token ids and loss mask of a whole conversation."""
        text = self._text(messages)
        spans = [self._span(messages, i, text) for i, learned in enumerate(learn) if learned]
        coded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        mask = tuple(any(a <= start < b for a, b in spans) for start, _ in coded["offset_mapping"])
        return tuple(coded["input_ids"]), mask

    def _span(self, messages: Sequence[Message], index: int, text: str) -> tuple[int, int]:
        """Return where in text the index-th message stands, from its first character to its end of turn."""
        before = self._text(messages[:index], generate=True)
        upto = self._text(messages[: index + 1])
        if not (upto.startswith(before) and text.startswith(upto)):
            raise DataError("the chat template changes earlier turns when later ones are added; it cannot be masked")
        return len(before), len(upto.rstrip())

    def _text(self, messages: Sequence[Message], *, generate: bool = False) -> str:
        plain = [{"role": m["role"], "content": m["content"]} for m in messages]
        return str(self._tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=generate))
