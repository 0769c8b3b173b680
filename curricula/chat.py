"""Render a conversation with the student's own chat template, and mark what it learns to say.

A message's tokens are those whose characters begin inside the text that the template adds for it. Of an
assistant's message the model learns thought, content, calls and the end-of-turn token, not the header before it, nor
the part of content that it was given. What a template would leave out of a learnt message is an error, never a loss;
thoughts of earlier turns, which some templates hide from later ones, are hidden here too. Control tokens are the
template's alone: see encoding.py.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gradus.curricula.conventions import Conventions, RenderConfig, Turn
from gradus.curricula.encoding import Encoder
from gradus.curricula.fingerprint import template_fingerprint, tokenizer_fingerprint
from gradus.engine.records import Message, content_id
from gradus.errors import DataError

Sample = tuple[tuple[int, ...], tuple[bool, ...]]
"""Token ids and loss mask."""


class RewrittenError(DataError):
    """The template says a turn in another way once others follow."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as training sees it: its text and, for each token, id, first character, and is it learnt?"""

    text: str
    token_ids: tuple[int, ...]
    starts: list[int]
    learned: tuple[bool, ...]


class Renderer:
    """A student's tokenizer and chat template."""

    def __init__(self, folder: Path, config: RenderConfig = RenderConfig()) -> None:  # noqa: B008
        self._encoder = Encoder(folder)
        self._tokenizer: Any = self._encoder.tokenizer
        if not self._tokenizer.chat_template:
            raise DataError(f"{folder}: the tokenizer has no chat template")
        self.fingerprint, self.template = tokenizer_fingerprint(folder), template_fingerprint(folder)
        self.definition = content_id(self.fingerprint, asdict(config))
        """Names everything that a conversation's tokens depend on."""
        today = date.fromisoformat(config.today)
        self._options = {**config.options, "strftime_now": today.strftime}
        self._conventions = Conventions(self._apply, config.thought)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids of a conversation that awaits the assistant."""
        shown = [self._encoder.disguised(message) for message in messages]
        return self._encoder.encode(self._apply(self._conventions.turns(shown), generate=True)).token_ids

    def samples(self, messages: Sequence[Message], learn: Sequence[bool]) -> list[Sample]:
        """Return what training sees: the whole conversation, or, where it is rewritten, one for each learnt turn."""
        try:
            return [self.trace(messages, learn)]
        except RewrittenError:
            ends = [i for i, learned in enumerate(learn) if learned]
            return [self.trace(messages[: i + 1], [False] * i + [True]) for i in ends]

    def trace(self, messages: Sequence[Message], learn: Sequence[bool]) -> Sample:
        """Return token ids and loss mask of a whole conversation."""
        rendered = self.render(messages, learn)
        return rendered.token_ids, rendered.learned

    def render(self, messages: Sequence[Message], learn: Sequence[bool]) -> Rendered:
        """Render a whole conversation: once, and twice more for each learnt turn, but once for the last."""
        shown = [self._encoder.disguised(message) for message in messages]
        turns = self._conventions.turns(shown)
        text = self._apply(turns)
        plain = self._encoder.plain(text)
        if shown != list(messages) and plain != self._apply(self._conventions.turns(messages)):
            raise DataError("the chat template does not show as it is a text that says control tokens")
        ends = [i + 1 for i, learned in enumerate(learn) if learned]
        spans = [self._span(shown[end - 1], turns[:end], text, whole=end == len(turns)) for end in ends]
        _check_shown(shown, text)
        encoded = self._encoder.encode(text, [asked for asked, _, _ in spans])
        learned = _inside([(first, end) for _, first, end in spans], encoded.starts)
        return Rendered(plain, tuple(encoded.token_ids), encoded.starts, learned)

    def _span(self, message: Message, turns: Sequence[Turn], text: str, *, whole: bool) -> tuple[int, int, int]:
        """Return where in text the last of turns begins to answer, where what is learnt begins, and its end of turn."""
        if message["role"] != "assistant":
            raise DataError(f"only what the assistant says can be learnt, not what the {message['role']} does")
        before = self._apply(turns[:-1], generate=True)
        upto = text if whole else self._apply(turns)
        if not text.startswith(upto):
            raise RewrittenError("the chat template says a turn otherwise once others follow; it cannot be masked")
        if not upto.startswith(before):
            raise self._misfit(message, turns, upto)
        place = first = len(before)
        for part, said in (("thought", message.get("reasoning", "")), ("text", message["content"])):
            place = upto.find(said.strip(), place)
            if place < 0:
                raise DataError(f"the chat template leaves out a {part} that is to be learnt")
            if part == "text" and (given := said[: message.get("given", 0)].strip()):
                first = place + len(given)
            place += len(said.strip())
        return len(before), first, len(upto.rstrip())

    def _misfit(self, message: Message, turns: Sequence[Turn], upto: str) -> DataError:
        """Return why the last of turns does not go on from its prompt."""
        if not upto.startswith(self._apply(turns[:-1])):
            return RewrittenError("the chat template says earlier turns otherwise in a prompt; it cannot be masked")
        answer = f"an answer {'with' if message.get('reasoning') else 'without'} a thought"
        return DataError(f"the chat template asks in another way than for {answer}; see render.options")

    def _apply(self, turns: Sequence[Turn], *, generate: bool = False) -> str:
        import jinja2

        try:
            return str(
                self._tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=generate, **self._options
                )
            )
        # A template is a program: with a conversation that its writer did not think of, it fails as programs do.
        except (jinja2.TemplateError, TypeError, ValueError, LookupError) as error:
            raise DataError(f"the chat template refuses the conversation: {error}") from None


def _check_shown(messages: Sequence[Message], text: str) -> None:
    """Raise DataError unless text says what all messages say, in order; a tool's may be JSON, a system's come later."""
    place = 0
    for message in messages:
        role, ways = message["role"], [message["content"].strip()]
        if role == "tool":
            ways.append(json.dumps(message["content"], ensure_ascii=False))
        first = 0 if role == "system" else place
        ends = [found + len(said) for said in ways if (found := text.find(said, first)) >= 0]
        if not ends:
            raise DataError(f"the chat template leaves out what the {role} says")
        place = place if role == "system" else min(ends)


def _inside(spans: Sequence[tuple[int, int]], starts: Sequence[int]) -> tuple[bool, ...]:
    """Return of each token whether it begins in a span; both rise."""
    learned = [False] * len(starts)
    for first, end in spans:
        a, b = bisect_left(starts, first), bisect_left(starts, end)
        learned[a:b] = [True] * (b - a)
    return tuple(learned)
