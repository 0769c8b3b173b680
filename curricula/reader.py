"""Read traces as the student would: the renderer's tokens and loss mask, cut into turns and steps."""

from __future__ import annotations

from collections.abc import Sequence

from gradus.curricula.chat import Renderer
from gradus.engine.compatibility.reading import Reading, split_turns
from gradus.engine.records import Message
from gradus.errors import DataError


class Reader(Renderer):
    """A renderer that also knows where steps begin."""

    def read(self, messages: Sequence[Message], learn: Sequence[bool]) -> Reading:
        """Return a conversation as it is scored."""
        rendered = self.render(messages, learn)
        if not any(rendered.learned):
            raise DataError("nothing in the trace is learned")
        turns = split_turns(rendered.text, rendered.starts, rendered.learned)
        return Reading(token_ids=rendered.token_ids, turns=turns, opening=self._opening(messages[:1]))

    def _opening(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Return what opens an assistant's turn: the template's header, after the token that opens everything."""
        plain, _ = self.trace(messages, [False for _ in messages])
        prompt = tuple(self.prompt(messages))
        header = prompt[len(plain) :] if prompt[: len(plain)] == plain else ()
        return header if header[:1] == prompt[:1] else (*prompt[:1], *header)
