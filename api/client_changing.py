"""The operations of the REST interface that change or run something; written by client_source.py, not by hand."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl

from gradus.api.client_transport import Transport


class Changing(Transport):
    """The operations that change or run something."""

    def build_curriculum(
        self,
        *,
        recipe: str | dict[str, Any] | None = None,
        overrides: dict[str, Any] | None = None,
        dry_run: bool | None = None,
    ) -> dict[str, Any]:
        """Build a manifest; the job's result holds it, with its id."""
        return self._json(
            "POST", "/v1/curricula", body={"recipe": recipe, "overrides": overrides, "dry_run": dry_run}, once=True
        )

    def add_labels(
        self,
        *,
        action: Literal["label", "exclude", "restore", "weight"],
        reason: str,
        ids: list[str] | None = None,
        filter: dict[str, Any] | None = None,
        value: str | float | None = None,
        kind: Literal["problem", "trace"] | None = None,
    ) -> dict[str, Any]:
        """Label, exclude, restore or weigh problems and traces; who asks is noted as the actor."""
        return self._json(
            "POST",
            "/v1/labels",
            body={"ids": ids, "filter": filter, "action": action, "value": value, "reason": reason, "kind": kind},
            once=True,
        )

    def start_import(
        self,
        *,
        format: str,
        path: str,
        name: str | None = None,
        split: str | None = None,
        licence: str | None = None,
        domain: str | None = None,
        tags: list[str] | None = None,
        content: bytes | None = None,
        content_type: str = "application/x-ndjson",
    ) -> dict[str, Any]:
        """Import a file that lies in the workspace, or that the body is (JSON lines or Parquet."""
        return self._json(
            "POST",
            "/v1/imports",
            query={"format": format, "name": name, "split": split, "licence": licence, "domain": domain, "tags": tags},
            body={"format": format, "split": split, "licence": licence, "domain": domain, "tags": tags, "path": path},
            content=content,
            content_type=content_type,
            once=True,
        )

    def start_export(
        self,
        *,
        what: Literal["traces", "problems", "attempts"] | None = None,
        format: Literal["datasets", "jsonl", "parquet"] | None = None,
        manifest: str | None = None,
    ) -> dict[str, Any]:
        """Export records; the job's files are at `/v1/exports/{id}/files` when it has succeeded."""
        return self._json("POST", "/v1/exports", body={"what": what, "format": format, "manifest": manifest}, once=True)

    def run_sql(
        self,
        *,
        query: str,
        parameters: dict[str, Any] | None = None,
        max_rows: int | None = None,
        timeout_s: float | None = None,
    ) -> pl.DataFrame:
        """Run one SELECT; the answer is JSON, NDJSON, CSV, an Arrow stream or Parquet, as Accept says."""
        return self._frame(
            "POST",
            "/v1/sql",
            body={"parameters": parameters, "max_rows": max_rows, "timeout_s": timeout_s, "query": query},
        )

    def put_query(
        self, name: str, *, sql: str, description: str | None = None, parameters: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Save a query in the workspace; one of the same name is replaced. It is checked first, as if it were run."""
        return self._json(
            "PUT",
            f"/v1/queries/{self._part(name)}",
            body={"sql": sql, "description": description, "parameters": parameters},
        )

    def delete_query(self, name: str) -> None:
        """Delete a query of the workspace; what comes with Gradus stays."""
        self._none("DELETE", f"/v1/queries/{self._part(name)}")

    def run_query(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        max_rows: int | None = None,
        timeout_s: float | None = None,
    ) -> pl.DataFrame:
        """Run a saved query with values for its parameters; formats and limits are those of /v1/sql."""
        return self._frame(
            "POST",
            f"/v1/queries/{self._part(name)}/run",
            body={"parameters": parameters, "max_rows": max_rows, "timeout_s": timeout_s},
        )

    def start_run(
        self,
        *,
        kind: Literal["sft", "rl"] | None = None,
        manifest: str | None = None,
        model: str | None = None,
        recipe: str | None = None,
        overrides: dict[str, Any] | None = None,
        launcher: Literal["local", "slurm"] | None = None,
        num_processes: int | None = None,
        num_nodes: int | None = None,
        options: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Start training, or go on with the same run; the files of the manifest are checked first."""
        return self._json(
            "POST",
            "/v1/runs",
            body={
                "kind": kind,
                "manifest": manifest,
                "model": model,
                "recipe": recipe,
                "overrides": overrides,
                "launcher": launcher,
                "num_processes": num_processes,
                "num_nodes": num_nodes,
                "options": options,
            },
            once=True,
        )

    def cancel_run(self, name: str) -> dict[str, Any]:
        """End a run with all its processes; its checkpoints stay."""
        return self._json("POST", f"/v1/runs/{self._part(name)}/cancel")

    def resume_run(self, name: str) -> dict[str, Any]:
        """Go on, from its newest checkpoint, with a run that stopped, failed or was cancelled."""
        return self._json("POST", f"/v1/runs/{self._part(name)}/resume")

    def start_job(self, *, request: dict[str, Any]) -> dict[str, Any]:
        """Have a command run; those that write the workspace run one after the other."""
        return self._json("POST", "/v1/jobs", body=request, once=True)

    def cancel_job(self, id: str) -> dict[str, Any]:
        """End a job with every process that it started; what is over stays as it is."""
        return self._json("POST", f"/v1/jobs/{self._part(id)}/cancel")
