"""Render a conversation with the student's own chat template, and mark what it learns to say.

A message's tokens are those whose characters begin inside the text that the template adds for it. Of an
assistant's message the model learns thought, content, calls and the end-of-turn token, not the header before it, nor
the part of content that it was given. What a template would leave out of a learnt message is an error, never a loss;
thoughts of earlier turns, which some templates hide from later ones, are hidden here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradus.curricula.conventions import THOUGHT, Conventions, Turn
from gradus.curricula.manifest import tokenizer_fingerprint
from gradus.engine.records import Message, content_id
from gradus.errors import DataError

Sample = tuple[tuple[int, ...], tuple[bool, ...]]
"""Token ids and loss mask."""


class RewrittenError(DataError):
    """The template says a turn in another way once others follow."""


class Renderer:
    """A student's tokenizer and chat template; thought wraps reasoning where the template has no place for it."""

    def __init__(self, folder: Path, thought: str = THOUGHT) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        if not self._tokenizer.chat_template:
            raise DataError(f"{folder}: the tokenizer has no chat template")
        self.fingerprint = tokenizer_fingerprint(folder)
        self.definition = content_id(self.fingerprint, thought)
        """Names everything that a conversation's tokens depend on."""
        self._conventions = Conventions(self._apply, thought)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids of a conversation that awaits the assistant."""
        text = self._text(messages, generate=True)
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def samples(self, messages: Sequence[Message], learn: Sequence[bool]) -> list[Sample]:
        """Return what training sees: the whole conversation, or, where it is rewritten, one for each learnt turn."""
        try:
            return [self.trace(messages, learn)]
        except RewrittenError:
            ends = [i for i, learned in enumerate(learn) if learned]
            return [self.trace(messages[: i + 1], [False] * i + [True]) for i in ends]

    def trace(self, messages: Sequence[Message], learn: Sequence[bool]) -> Sample:
        """Return token ids and loss mask of a whole conversation."""
        text = self._text(messages)
        spans = [self._span(messages, i, text) for i, learned in enumerate(learn) if learned]
        for message in messages:
            if message["role"] != "tool" and message["content"].strip() not in text:
                raise DataError(f"the chat template leaves out what the {message['role']} says")
        coded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        mask = tuple(any(a <= start < b for a, b in spans) for start, _ in coded["offset_mapping"])
        return tuple(coded["input_ids"]), mask

    def _span(self, messages: Sequence[Message], index: int, text: str) -> tuple[int, int]:
        """Return where in text the index-th message stands, from its first character to its end of turn."""
        message = messages[index]
        before = self._text(messages[:index], generate=True)
        upto = self._text(messages[: index + 1])
        if not (upto.startswith(before) and text.startswith(upto)):
            raise RewrittenError(
                "the chat template changes earlier turns when later ones are added; it cannot be masked"
            )
        if message.get("reasoning", "").strip() not in upto[len(before) :]:
            raise DataError("the chat template leaves out a thought that is to be learnt")
        start = len(before)
        if given := message["content"][: message.get("given", 0)].strip():
            start = upto.index(given, start) + len(given)
        return start, len(upto.rstrip())

    def _text(self, messages: Sequence[Message], *, generate: bool = False) -> str:
        return self._apply(self._conventions.turns(messages), generate=generate)

    def _apply(self, turns: Sequence[Turn], *, generate: bool = False) -> str:
        import jinja2

        try:
            return str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generate))
        except jinja2.TemplateError as error:
            raise DataError(f"the chat template refuses the conversation: {error}") from None
