"""Plain text tables and bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

BLOCKS = " ▁▂▃▄▅▆▇█"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as aligned columns under their names; empty for no rows."""
    if not rows:
        return "(no rows)"
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    numeric = [isinstance(rows[0][name], int | float) for name in names]
    lines = [
        "  ".join(
            c.rjust(w) if right else c.ljust(w) for c, w, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in cells
    ]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def histogram(rows: Sequence[dict[str, Any]]) -> str:
    """Return problems over tenths of the pass rate, as bars, by model and domain."""
    lines = []
    for model in sorted({row["model_id"] for row in rows}):
        lines += [model, "pass rate     0" + " " * 26 + "1"]
        for domain in sorted({row["domain"] for row in rows if row["model_id"] == model}):
            counts = {r["tenth"]: r["problems"] for r in rows if (r["model_id"], r["domain"]) == (model, domain)}
            top = max(counts.values())
            bars = " ".join(BLOCKS[-(-8 * counts.get(tenth, 0) // top)] * 2 for tenth in range(10))
            lines.append(f"{domain:<12}  {bars}  {sum(counts.values())} problems")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = "" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
