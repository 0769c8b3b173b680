"""The traces that a stage may choose from: numpy columns, one row a rendered trace, in the order of trace ids.

A conversation that a template rewrites (`chat.py`) gives several rows with one trace id and parts 0, 1, …. Texts and
tokens stay on disk (`rendered.py`), so that millions of candidates fit into memory.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Columns of one length. Passes and attempts are of the trace's problem; 0 attempts: never measured."""

    names: tuple[str, ...]
    """Components: `domain/kind/teacher/band`."""
    trace_ids: npt.NDArray[np.bytes_]
    part: npt.NDArray[np.int32]
    """Which of the trace's rows."""
    places: Ints
    """Where the rendered row is read from."""
    num_tokens: Ints
    component: npt.NDArray[np.int32]
    """Index into names."""
    problem: Ints
    """Equal numbers: one problem."""
    num_attempts: Ints
    """The student's."""
    num_passed: Ints
    earlier_attempts: Ints
    """Those of the checkpoint that the recipe names as `earlier`."""
    earlier_passed: Ints
    weight: Floats
    """How often a trace is worth being used: what curation and gates make of 1."""

    def __len__(self) -> int:
        return len(self.trace_ids)

    def take(self, rows: npt.NDArray[np.int64 | np.bool_]) -> Candidates:
        """Return the candidates of these rows, in their order."""
        columns = (field.name for field in fields(self) if field.name != "names")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})
