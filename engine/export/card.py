"""The data card of an export, `README.md`: what is in it, where it comes from, and what was done to it.

Its head tells `datasets` which files are which split. Everything is counted, nothing is judged: licences stand as the
sources state them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gradus.engine.export.census import NOT_STATED, Census
from gradus.engine.export.tables import COLUMNS, MEANINGS
from gradus.engine.store import Store

CLEANED = "By the newest run of each step, over the whole workspace as it was then."
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card tells beside the census."""

    name: str
    what: str
    manifest: str = ""
    version: str = ""
    """Of the store."""
    counts: dict[str, Any] = field(default_factory=dict)
    plots: tuple[str, ...] = ()


def write_card(store: Store, census: Census, facts: Facts) -> str:
    """Return the card."""
    parts = [_head(census, facts), f"# {facts.name}\n", _summary(census, facts)]
    parts += [_section("What is in it", census.contents()), _columns(facts.what), _loading(facts.name, census)]
    parts.append(_section("Funnel", store.rows("FROM funnel"), "Everything that the workspace holds, step by step."))
    parts.append(_section("Left out", [{"reason": k, "records": n} for k, n in facts.counts["dropped"].items()]))
    parts.append(_section("Sources and licences", census.licences()))
    parts.append(_section("Teachers", census.teachers()))
    parts.append(_section("Verifiers", store.named("verifier_versions"), "Verdicts by verifier and version."))
    parts.append(_section("Difficulty", store.rows("FROM pass_rates ORDER BY ALL"), "Mean pass rates of the problems."))
    for title, step in (("Decontamination", "decontaminate"), ("Duplicates", "dedupe")):
        parts.append(
            _section(title, store.named("cleaning", {"prefix": step}), CLEANED, none="It was never looked for.")
        )
    if facts.plots:
        images = "\n".join(f"![{path}]({path})" for path in facts.plots)
        parts.append(f"## Plots\n\n{images}\n")
    return "\n".join(parts)


def _head(census: Census, facts: Facts) -> str:
    lines = ["---", f"pretty_name: {json.dumps(facts.name)}", f"size_categories: [{_size(census.num_rows)}]"]
    stated = {row["licence"] for row in census.licences()}
    if len(stated) == 1 and NOT_STATED not in stated:
        lines.append(f"license: {json.dumps(stated.pop().lower())}")
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in census.splits():
        lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    return "\n".join([*lines, "---", ""])


def _summary(census: Census, facts: Facts) -> str:
    lines = [f"{census.num_rows} {facts.what}, {census.num_chars} characters, written by Gradus."]
    if facts.manifest:
        lines.append(f"They are those of the manifest `{facts.manifest}`, a split a stage.")
    lines.append(f"The workspace was at version `{facts.version[:16]}`.")
    return "\n".join(lines) + "\n"


def _columns(what: str) -> str:
    rows = [
        {"column": field.name, "type": str(field.type), "meaning": MEANINGS.get(field.name, "")}
        for field in COLUMNS[what]
    ]
    return _section("Columns", rows)


def _loading(name: str, census: Census) -> str:
    split = next(iter(census.splits()), "train")
    code = f'from datasets import load_dataset\n\nrows = load_dataset("path/to/{name}", split="{split}")'
    return f"## Loading\n\n```python\n{code}\n```\n"


def _section(title: str, rows: Sequence[dict[str, Any]], said: str = "", none: str = "None.") -> str:
    if not rows:
        return f"## {title}\n\n{none}\n"
    body = f"{said}\n\n" if said else ""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(_cell(value) for value in row.values()) + " |" for row in rows]
    return f"## {title}\n\n{body}" + "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _size(num_rows: int) -> str:
    return next((name for limit, name in SIZES if num_rows < limit), "n>10M")
