"""One HTTP endpoint, posted to many times at once, from a thread of its own.

Connections are kept and reused. What may pass (see `status.py`; lost connections and time-outs too) is tried again:
when `Retry-After` says, else after an exponential backoff with full jitter.
"""

from __future__ import annotations

import asyncio
import functools
import queue
import random
import resource
import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from gradus.engine.teachers.base import Refusal
from gradus.engine.teachers.pace import Pace
from gradus.engine.teachers.status import PassingError, Reply, Server
from gradus.errors import GradusError, MachineError
from gradus.log import logger

if TYPE_CHECKING:
    import aiohttp

BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 60.0
WARN_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """Where to post, and how patiently."""

    server: Server
    max_in_flight: int
    timeout_s: float
    retry_for_s: float


Outcome = Reply | Refusal | GradusError


class Endpoint:
    """Post with `submit`, have replies with `collect`; both from one thread."""

    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        self._pace = Pace(config.max_in_flight, slow_s=config.timeout_s / 2)
        self._numbers, self._names = count(), dict[int, int]()
        self._inbox, self._outbox = deque[tuple[int, bytes]](), queue.SimpleQueue[tuple[int, Outcome]]()
        self._woken = False
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._warned_at = -WARN_EVERY_S
        _allow_open_files(config.max_in_flight + 256)
        self._loop = asyncio.new_event_loop()
        self._session = self._loop.run_until_complete(_open_session(config))
        self._thread = threading.Thread(target=self._run, name="endpoint", daemon=True)
        self._thread.start()

    @property
    def room(self) -> int:
        return self._pace.room(len(self._names))

    def submit(self, name: int, body: bytes) -> None:
        """Post body; its outcome comes under name."""
        own = next(self._numbers)
        self._names[own] = name
        self._inbox.append((own, body))
        if not self._woken:  # one wake-up may serve many
            self._woken = True
            self._loop.call_soon_threadsafe(self._send_all)

    def collect(self, timeout_s: float) -> list[tuple[int, Outcome]]:
        """Return the outcomes that are there, having waited up to timeout_s for the first."""
        found: list[tuple[int, Outcome]] = []
        if not self._names:
            time.sleep(max(0.0, min(timeout_s, self._pace.resume_at - time.monotonic())))
            return found
        try:
            own, outcome = self._outbox.get(timeout=timeout_s)
            while True:
                if own in self._names:  # else it was cancelled
                    found.append((self._names.pop(own), outcome))
                own, outcome = self._outbox.get_nowait()
        except queue.Empty:
            return found

    def cancel(self) -> None:
        """Drop every request whose outcome has not been collected."""
        self._names.clear()
        self._loop.call_soon_threadsafe(self._cancel_before, next(self._numbers))

    def close(self) -> None:
        """Hang up."""
        self.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(asyncio.gather(*self._tasks.values(), return_exceptions=True))
        self._loop.run_until_complete(self._session.close())
        self._loop.close()

    def _send_all(self) -> None:
        self._woken = False  # before looking: what comes from now on wakes us again
        while self._inbox:
            own, body = self._inbox.popleft()
            self._tasks[own] = task = self._loop.create_task(self._finish(own, body))
            task.add_done_callback(functools.partial(self._forget, own))
        self._pace.sent(len(self._tasks))

    def _forget(self, own: int, _: asyncio.Task[None]) -> None:
        del self._tasks[own]

    def _cancel_before(self, number: int) -> None:
        self._send_all()  # what has not been sent is then a task as well
        for own, task in self._tasks.items():
            if own < number:
                task.cancel()

    async def _finish(self, own: int, body: bytes) -> None:
        try:
            outcome: Outcome = await self._persist(body)
        except GradusError as error:
            outcome = error
        except Exception as error:  # a thread has no caller: whoever collects is told
            outcome = MachineError(f"{self._config.server.url}: {type(error).__name__}: {error}")
        self._outbox.put((own, outcome))

    async def _persist(self, body: bytes) -> Reply | Refusal:
        """Post until there is a reply, or until retry_for_s are over."""
        give_up_at = time.monotonic() + self._config.retry_for_s
        for attempt in count():
            sent_at = time.monotonic()
            try:
                reply = await self._post(body)
            except PassingError as passing:
                wait_s = self._wait_s(passing, attempt)
                if passing.busy:
                    self._pace.pushed_back(sent_at, min(wait_s, self._config.retry_for_s) if passing.wait_s else 0.0)
                if time.monotonic() + wait_s > give_up_at:
                    return Refusal(f"{passing}, at try {attempt + 1}", final=False)
                self._warn(passing, wait_s)
                await asyncio.sleep(wait_s)
            else:
                if not isinstance(reply, Refusal):
                    self._pace.answered(sent_at)
                return reply
        raise AssertionError

    @staticmethod
    def _wait_s(passing: PassingError, attempt: int) -> float:
        if passing.wait_s is not None:  # not all at the very same moment
            return passing.wait_s + random.uniform(0.0, BACKOFF_S)
        return random.uniform(0.0, min(LONGEST_BACKOFF_S, BACKOFF_S * 2.0**attempt))

    async def _post(self, body: bytes) -> Reply | Refusal:
        import aiohttp

        sent_at = time.monotonic()
        try:
            async with self._session.post(self._config.server.url, data=body, allow_redirects=False) as response:
                raw = await response.read()
        except TimeoutError:
            self._pace.waited(sent_at)
            raise PassingError(f"no answer in {self._config.timeout_s:g} s") from None
        except aiohttp.ClientSSLError as error:
            raise MachineError(f"{self._config.server.url}: {error}") from None
        except aiohttp.ClientConnectorError as error:
            raise PassingError(f"no connection: {error.strerror}") from None
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError) as error:
            raise PassingError(f"connection lost: {error or type(error).__name__}") from None
        except aiohttp.ClientError as error:
            raise MachineError(f"{self._config.server.url}: {type(error).__name__}: {error}") from None
        return self._config.server.read(response.status, response.headers, raw, time.monotonic() - sent_at)

    def _warn(self, passing: PassingError, wait_s: float) -> None:
        if time.monotonic() - self._warned_at > WARN_EVERY_S:
            self._warned_at = time.monotonic()
            logger.warning("%s: %s; again in %.1f s", self._config.server.url, passing, wait_s)


async def _open_session(config: EndpointConfig) -> aiohttp.ClientSession:
    import aiohttp

    headers = {"Content-Type": "application/json"}
    if config.server.key:
        headers["Authorization"] = f"Bearer {config.server.key}"
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=60),  # Pace is the limit
        timeout=aiohttp.ClientTimeout(total=config.timeout_s, sock_connect=30),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env="//localhost" not in config.server.url and "//127.0.0.1" not in config.server.url,  # proxies
    )


def _allow_open_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number and soft != resource.RLIM_INFINITY:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
