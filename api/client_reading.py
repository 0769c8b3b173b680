"""The operations of the REST interface that read; written by client_source.py, not by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import polars as pl

from gradus.api.client_transport import Event, Transport


class Reading(Transport):
    """The operations that read."""

    def list_problems(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        domain: Literal["math", "code", "instruction", "stem", "tool"] | None = None,
        tag: str | None = None,
        source: str | None = None,
        verifier: str | None = None,
        text: str | None = None,
        model: str | None = None,
        min_rate: float | None = None,
        max_rate: float | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return problems in the order in which they came in."""
        return self._page(
            "GET",
            "/v1/problems",
            query={
                "limit": limit,
                "cursor": cursor,
                "domain": domain,
                "tag": tag,
                "source": source,
                "verifier": verifier,
                "text": text,
                "model": model,
                "min_rate": min_rate,
                "max_rate": max_rate,
            },
            max_rows=max_rows,
        )

    def read_problem(self, id: str) -> dict[str, Any]:
        """Return one problem by its id, with its difficulty by model."""
        return self._json("GET", f"/v1/problems/{self._part(id)}")

    def list_attempts(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        problem: str | None = None,
        model: str | None = None,
        policy: str | None = None,
        sampler: str | None = None,
        finish_reason: str | None = None,
        correction: bool | None = None,
        outcome: Literal["pass", "fail", "unparseable", "verifier_error"] | None = None,
        text: str | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return attempts in the order in which they came in. With an outcome, a page before the last may be short."""
        return self._page(
            "GET",
            "/v1/attempts",
            query={
                "limit": limit,
                "cursor": cursor,
                "problem": problem,
                "model": model,
                "policy": policy,
                "sampler": sampler,
                "finish_reason": finish_reason,
                "correction": correction,
                "outcome": outcome,
                "text": text,
            },
            max_rows=max_rows,
        )

    def read_attempt(self, id: str) -> dict[str, Any]:
        """Return one attempt by its id, with every verdict on it."""
        return self._json("GET", f"/v1/attempts/{self._part(id)}")

    def list_verdicts(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        attempt: str | None = None,
        verifier: str | None = None,
        version: str | None = None,
        outcome: Literal["pass", "fail", "unparseable", "verifier_error"] | None = None,
        text: str | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return verdicts in the order in which they came in; those of a verifier's older versions, too."""
        return self._page(
            "GET",
            "/v1/verdicts",
            query={
                "limit": limit,
                "cursor": cursor,
                "attempt": attempt,
                "verifier": verifier,
                "version": version,
                "outcome": outcome,
                "text": text,
            },
            max_rows=max_rows,
        )

    def list_traces(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        kind: Literal["cot", "correction", "imported"] | None = None,
        domain: Literal["math", "code", "instruction", "stem", "tool"] | None = None,
        teacher: str | None = None,
        problem: str | None = None,
        text: str | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return traces in the order in which they came in, left-out ones, too."""
        return self._page(
            "GET",
            "/v1/traces",
            query={
                "limit": limit,
                "cursor": cursor,
                "kind": kind,
                "domain": domain,
                "teacher": teacher,
                "problem": problem,
                "text": text,
            },
            max_rows=max_rows,
        )

    def read_trace(self, id: str) -> dict[str, Any]:
        """Return one trace by its id, with the steps that leave it out."""
        return self._json("GET", f"/v1/traces/{self._part(id)}")

    def list_difficulty(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        domain: Literal["math", "code", "instruction", "stem", "tool"] | None = None,
        model: str | None = None,
        policy: str | None = None,
        sampler: str | None = None,
        min_attempts: int | None = None,
        min_rate: float | None = None,
        max_rate: float | None = None,
        order: Literal["stored", "hardest", "easiest"] | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return the difficulty of problems, inside a band of pass@1."""
        return self._page(
            "GET",
            "/v1/difficulty",
            query={
                "limit": limit,
                "cursor": cursor,
                "domain": domain,
                "model": model,
                "policy": policy,
                "sampler": sampler,
                "min_attempts": min_attempts,
                "min_rate": min_rate,
                "max_rate": max_rate,
                "order": order,
            },
            max_rows=max_rows,
        )

    def read_summary(self) -> dict[str, Any]:
        """Return pass rates by domain and model, a histogram, and the funnel."""
        return self._json("GET", "/v1/difficulty/summary")

    def read_drift(self, *, a: str, b: str, limit: int | None = None) -> dict[str, Any]:
        """Compare two checkpoints: pass@1 by domain and band, and the problems that improved or regressed."""
        return self._json("GET", "/v1/difficulty/drift", query={"a": a, "b": b, "limit": limit})

    def view_histogram(self) -> list[dict[str, Any]]:
        """Return problems by model, domain and tenth of the pass rate."""
        return self._json("GET", "/v1/views/histogram")

    def view_funnel(self) -> list[dict[str, Any]]:
        """Return how many records came through each step, and why the others did not."""
        return self._json("GET", "/v1/views/funnel")

    def view_fit(self) -> list[dict[str, Any]]:
        """Return how each student reads each teacher's traces, by domain; lower fits better."""
        return self._json("GET", "/v1/views/fit")

    def view_rates(self, *, manifest: str | None = None) -> list[dict[str, Any]]:
        """Return pass rates with intervals by domain and model: of all problems, and by stage of a manifest."""
        return self._json("GET", "/v1/views/rates", query={"manifest": manifest})

    def view_lengths(self, *, manifest: str | None = None) -> dict[str, Any]:
        """Return the lengths of traces and the fill of sequences by stage, and the lengths of answers by model."""
        return self._json("GET", "/v1/views/lengths", query={"manifest": manifest})

    def view_problem(self, id: str) -> dict[str, Any]:
        """Return what belongs to a problem: attempts with verdicts, traces, variants, and what was said of it."""
        return self._json("GET", f"/v1/views/problems/{self._part(id)}")

    def view_trace(self, id: str) -> dict[str, Any]:
        """Return a trace, its problem and verdict, and the failed attempt that it corrects, ready to compare."""
        return self._json("GET", f"/v1/views/traces/{self._part(id)}")

    def view_tables(self) -> list[dict[str, Any]]:
        """Return the tables and views that SQL may ask about, with their columns."""
        return self._json("GET", "/v1/views/tables")

    def list_manifests(self) -> list[dict[str, Any]]:
        """Return every manifest in short, newest first."""
        return self._json("GET", "/v1/manifests")

    def read_manifest(self, id: str) -> dict[str, Any]:
        """Return one manifest by its id, the start of its id, or `latest`."""
        return self._json("GET", f"/v1/manifests/{self._part(id)}")

    def read_course(self, id: str) -> list[dict[str, Any]]:
        """Return for every stage of a manifest its mixture over time, and how hard its traces are for the student."""
        return self._json("GET", f"/v1/manifests/{self._part(id)}/course")

    def diff_manifests(self, a: str, b: str) -> dict[str, Any]:
        """Say what differs between two manifests, and why: by what people said, by cleaning, by the recipe."""
        return self._json("GET", f"/v1/manifests/{self._part(a)}/diff/{self._part(b)}")

    def list_labels(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        record_id: str | None = None,
        kind: Literal["problem", "trace"] | None = None,
        action: Literal["label", "exclude", "restore", "weight"] | None = None,
        actor: str | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return what was said, in the order in which it came in."""
        return self._page(
            "GET",
            "/v1/labels",
            query={
                "limit": limit,
                "cursor": cursor,
                "record_id": record_id,
                "kind": kind,
                "action": action,
                "actor": actor,
            },
            max_rows=max_rows,
        )

    def read_labels(self, record_id: str) -> dict[str, Any]:
        """Return how a problem or trace stands, and what was said of it; of one that nobody touched, nothing was."""
        return self._json("GET", f"/v1/labels/{self._part(record_id)}")

    def list_export(self, id: str) -> list[dict[str, Any]]:
        """Return the files of an export."""
        return self._json("GET", f"/v1/exports/{self._part(id)}/files")

    def download_export(self, id: str, path: str) -> bytes:
        """Return one file of an export; a part of it, where `Range` asks for that."""
        return self._bytes("GET", f"/v1/exports/{self._part(id)}/files/{self._part(path)}")

    def list_queries(self) -> list[dict[str, Any]]:
        """Return every saved query: those that come with Gradus and those of the workspace."""
        return self._json("GET", "/v1/queries")

    def read_query(self, name: str) -> dict[str, Any]:
        """Return one saved query."""
        return self._json("GET", f"/v1/queries/{self._part(name)}")

    def list_runs(self) -> list[dict[str, Any]]:
        """Return every run, newest first."""
        return self._json("GET", "/v1/runs")

    def read_run(self, name: str) -> dict[str, Any]:
        """Return one run."""
        return self._json("GET", f"/v1/runs/{self._part(name)}")

    def read_metrics(self, name: str) -> list[dict[str, Any]]:
        """Return what was measured, one row a step."""
        return self._json("GET", f"/v1/runs/{self._part(name)}/metrics")

    def watch_run(self, name: str) -> Iterator[Event]:
        """Follow a run: events `state` and `metrics`, whose id is the step; `rewound` where steps are made again."""
        return self._events("GET", f"/v1/runs/{self._part(name)}/events")

    def list_jobs(
        self,
        *,
        state: Literal["queued", "running", "interrupted", "succeeded", "failed", "cancelled"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        max_rows: int | None = None,
    ) -> pl.DataFrame:
        """Return the jobs, newest first."""
        return self._page(
            "GET", "/v1/jobs", query={"state": state, "limit": limit, "cursor": cursor}, max_rows=max_rows
        )

    def read_job(self, id: str) -> dict[str, Any]:
        """Return one job."""
        return self._json("GET", f"/v1/jobs/{self._part(id)}")

    def watch_job(self, id: str) -> Iterator[Event]:
        """Follow a job: events `state`, `progress` and `log` as they come, `end` when it is over."""
        return self._events("GET", f"/v1/jobs/{self._part(id)}/events")

    def read_health(self) -> dict[str, Any]:
        """Answer as long as the process can: restart it when this fails. Needs no token."""
        return self._json("GET", "/healthz")

    def read_readiness(self) -> dict[str, Any]:
        """Say whether requests can be served: the workspace can be written, its newest snapshot read."""
        return self._json("GET", "/readyz")

    def read_prometheus_metrics(self) -> str:
        """Return counts and timings of requests, rows of the store, jobs by state, and what the process uses."""
        return self._text("GET", "/metrics")
