"""Any OpenAI-compatible endpoint: a running `vllm serve`, or a hosted model.

`model` is the name the server knows; `options.base_url` ends before `/chat/completions`. Each attempt is one request
with a seed of its own, never one of several `choices`: a server counts the tokens of all choices together, so their
cost could not be told apart. From vLLM come token ids and log-probabilities too; these are of the distribution that
was sampled from only if the server runs with `--logprobs-mode processed_logprobs`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gradus.config import build
from gradus.engine.calls import with_calls
from gradus.engine.records import Message, ToolCall, content_id
from gradus.engine.teachers.base import Completion, Refusal, Request, Teacher, TeacherConfig, brief, teachers
from gradus.engine.teachers.endpoint import Endpoint, EndpointConfig
from gradus.engine.teachers.status import Reply, Server
from gradus.engine.teachers.thoughts import split_thought
from gradus.errors import ConfigError, GradusError, MachineError

FAILURES_IN_A_ROW = 16
"""So many requests given up with no answer between them: the server is gone, not the requests odd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions:
    """What a recipe may say under `teacher.options`."""

    base_url: str
    api_key_env: str = "OPENAI_API_KEY"
    """The environment's variable with the key; the key itself is never stored or shown."""
    model_id: str = ""
    """Names the weights, where one model has several addresses; else that is `model@host:port`."""
    token_ids: bool = True
    """Ask for token ids, as vLLM gives them; a server that does not know `return_token_ids` may refuse it."""
    split_think: bool = True
    """Take what stands before `</think>` for reasoning, where the server leaves that inside the answer."""
    max_tokens_field: str = "max_tokens"
    extra_body: dict[str, Any] = field(default_factory=dict)
    """Goes into every request unchanged, as `reasoning_effort`; another one counts as another model."""
    max_in_flight: int = 512
    timeout_s: float = 600.0
    retry_for_s: float = 600.0
    """A request is given up when it has failed for so long; the next run asks it again."""

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"base_url must be an http(s) URL, not {self.base_url!r}")
        if url.username or url.password:
            raise ValueError("base_url must hold no password; put the key into the environment")
        if ours := {"messages", "model", "n", "seed", "stream", "temperature", "top_p"} & set(self.extra_body):
            raise ValueError(f"extra_body may not hold {', '.join(sorted(ours))}")
        if self.max_in_flight < 1:
            raise ValueError(f"max_in_flight must be at least 1, not {self.max_in_flight}")


@teachers.register("openai")
class OpenAITeacher(Teacher):
    """Asks a server."""

    def __init__(self, config: TeacherConfig) -> None:
        self.model_id = self.identify(config)
        self._model, self._options = config.model, _options(config)
        self._failures = 0
        self._failure: GradusError | None = None
        self._flying: dict[int, Request] = {}
        key = os.environ.get(self._options.api_key_env, "")
        if not key and "api_key_env" in config.options:
            raise ConfigError(f"${self._options.api_key_env} is not set: it should hold the key for {self.model_id}")
        url = self._options.base_url.rstrip("/") + "/chat/completions"
        self._endpoint = Endpoint(
            EndpointConfig(
                server=Server(url=url, key=key, key_name=self._options.api_key_env),
                max_in_flight=self._options.max_in_flight,
                timeout_s=self._options.timeout_s,
                retry_for_s=self._options.retry_for_s,
            )
        )

    @staticmethod
    def identify(config: TeacherConfig) -> str:
        options = _options(config)
        name = options.model_id or f"{config.model}@{urlsplit(options.base_url).netloc}"
        return f"{name}+{content_id(options.extra_body)[:8]}" if options.extra_body else name

    @property
    def room(self) -> int:
        return self._endpoint.room

    def submit(self, name: int, request: Request) -> None:
        self._flying[name] = request
        self._endpoint.submit(name, json.dumps(self._body(request), ensure_ascii=False).encode())

    def collect(self, timeout_s: float) -> list[tuple[int, Completion | Refusal]]:
        if self._failure:
            raise self._failure
        found: list[tuple[int, Completion | Refusal]] = []
        for name, outcome in self._endpoint.collect(timeout_s):
            request = self._flying.pop(name)
            if isinstance(outcome, GradusError):
                self._failure = type(outcome)(f"{outcome}; asked: {brief(request)}")
            else:
                found.append((name, self._sorted(request, outcome)))
        if self._failure and not found:  # else what was paid for is handed over first
            raise self._failure
        return found

    def _sorted(self, request: Request, outcome: Reply | Refusal) -> Completion | Refusal:
        if isinstance(outcome, Reply):
            try:
                answer = completion(outcome, split_think=self._options.split_think)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reason = f"a reply that is not a chat completion: {type(error).__name__}: {error}"
                outcome = Refusal(reason, final=False)
            else:
                self._failures = 0
                return answer
        self._failures += not outcome.final
        if self._failures >= FAILURES_IN_A_ROW and self._failure is None:
            reason = f"{self._failures} requests in a row failed, the last by {outcome.reason}"
            self._failure = MachineError(f"{self.model_id}: {reason}; asked: {brief(request)}")
        return outcome

    def _body(self, request: Request) -> dict[str, Any]:
        ask, options = request.sampling, self._options
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": turn["role"], "content": turn["content"]} for turn in map(with_calls, request.messages)
            ],
            "temperature": ask.temperature,
            "top_p": ask.top_p,
            options.max_tokens_field: ask.max_tokens,
            "seed": request.seed,
        }
        if ask.stop:
            body["stop"] = list(ask.stop)
        if ask.logprobs:
            body["logprobs"] = True
        if options.token_ids:
            body["return_token_ids"] = True
        return body | options.extra_body

    def cancel(self) -> None:
        self._flying.clear()
        self._failures, self._failure = 0, None
        self._endpoint.cancel()

    def load_weights(self, folder: str) -> None:
        raise ConfigError(f"{self.model_id} is an endpoint: it cannot take the weights of {folder}; use kind = 'vllm'")

    def close(self) -> None:
        self._endpoint.close()


def _options(config: TeacherConfig) -> OpenAIOptions:
    return build(OpenAIOptions, config.options, "teacher.options")


def completion(reply: Reply, *, split_think: bool) -> Completion:
    """Return what the first choice says, under whichever names the server uses."""
    choice = reply.data["choices"][0]
    message, usage = choice["message"], reply.data.get("usage") or {}
    text, thought = _parts(message.get("content"))
    reasoning = message.get("reasoning") or message.get("reasoning_content") or thought
    reasoning = reasoning if isinstance(reasoning, str) else ""
    if split_think and not reasoning:
        reasoning, text = split_thought(text)
    if calls := message.get("tool_calls"):  # a server that reads them out of the text
        text = with_calls(Message(role="assistant", content=text, tool_calls=[_call(call) for call in calls]))[
            "content"
        ]
    token_ids = tuple(choice.get("token_ids") or ())
    entries = (choice.get("logprobs") or {}).get("content") or ()
    logprobs = tuple(float(entry["logprob"]) for entry in entries)
    return Completion(
        text=text,
        token_ids=token_ids,
        # One for each token, or they say nothing.
        token_logprobs=logprobs if not token_ids or len(logprobs) == len(token_ids) else (),
        prompt_token_ids=tuple(reply.data.get("prompt_token_ids") or ()),
        finish_reason=choice.get("finish_reason") or "",
        seconds=reply.seconds,
        reasoning=reasoning,
        counted=(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)),
    )


def _call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    try:
        return ToolCall(name=function["name"], arguments=json.loads(function["arguments"] or "{}"))
    except ValueError:  # for the verifier to judge, not for us
        return ToolCall(name=function["name"], arguments=function["arguments"])


def _parts(content: Any) -> tuple[str, str]:
    """Return (text, thought) of a content, which may be text, nothing, or a list of typed parts."""
    if content is None or isinstance(content, str):
        return content or "", ""
    text = "".join(part["text"] for part in content if part["type"] == "text")
    thinking = (part["thinking"] for part in content if part["type"] == "thinking")
    return text, "".join(part if isinstance(part, str) else _parts(part)[0] for part in thinking)
