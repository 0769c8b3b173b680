"""What Prometheus scrapes at `/metrics`.

Written by prometheus_client: a small package of pure Python that vLLM brings along anyway, and what it writes is what
Prometheus reads. Paths are counted by their route, as `/v1/problems/{id}`, so that clients cannot make series up.
"""

from __future__ import annotations

import threading
import time
from collections import Counter as Counts
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.types import Scope

from gradus.api.jobs.job import list_jobs
from gradus.engine.parts import SCHEMAS
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Metrics:
    """The counters of one server."""

    def __init__(self, workspace: Workspace) -> None:
        disable_created_metrics()  # a second series for each, of no use to anybody here
        self.registry = CollectorRegistry()
        for collector in (StoreCollector(workspace), JobsCollector(workspace)):
            self.registry.register(collector)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "gradus_requests",
            "Requests answered; status 0: none was sent.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "gradus_request_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        route = getattr(scope.get("route"), "path", "") or "none"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)


class StoreCollector(Collector):
    """The newest snapshot: its age, and the rows of its tables, counted once a snapshot."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._lock = threading.Lock()
        self._counted: tuple[str, dict[str, int]] = ("", {})

    def collect(self) -> Iterator[Metric]:
        """Yield nothing where there is no snapshot yet."""
        try:
            path = (self.workspace.snapshots / "current.duckdb").resolve(strict=True)
            age = time.time() - path.stat().st_mtime
            rows = self._rows(path.name)
        except (FileNotFoundError, WorkspaceError):
            return
        yield GaugeMetricFamily("gradus_snapshot_age_seconds", "Since the snapshot that queries read was made.", age)
        family = GaugeMetricFamily("gradus_store_rows", "Records in the newest snapshot.", labels=("table",))
        for table, count in rows.items():
            family.add_metric((table,), count)
        yield family

    def _rows(self, version: str) -> dict[str, int]:
        with self._lock:
            if self._counted[0] != version:
                with open_snapshot(self.workspace) as store:
                    counts = {table: store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in SCHEMAS}
                self._counted = (version, counts)
            return self._counted[1]


class JobsCollector(Collector):
    """The jobs of the workspace by state."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def collect(self) -> Iterator[Metric]:
        """Yield one gauge."""
        states = Counts(job.state() for job in list_jobs(self.workspace))
        family = GaugeMetricFamily("gradus_jobs", "Jobs by state.", labels=("state",))
        for state, count in states.items():
            family.add_metric((state,), count)
        yield family
