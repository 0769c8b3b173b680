"""The cleaning steps: what they read of a workspace, what they leave out, and how that is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gradus.api.progress import progress
from gradus.engine.clean.benchmark import heldout_items, read_benchmark
from gradus.engine.clean.decontaminate import decontaminate as without_leaks
from gradus.engine.clean.dedupe import DedupeConfig, Keys
from gradus.engine.clean.dedupe import dedupe as without_duplicates
from gradus.engine.clean.leaks import Item, LeakIndex, Thresholds
from gradus.engine.clean.runs import reason_kinds, record_run, take_back
from gradus.engine.clean.semantic import SemanticConfig, drop_retold
from gradus.engine.clean.texts import Text, Texts, count_texts, problem_texts, trace_texts
from gradus.engine.records import HELDOUT
from gradus.engine.store import Store, open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

READERS: dict[str, Callable[[Store, str], Iterable[Text]]] = {"problems": problem_texts, "traces": trace_texts}
Counts = dict[str, Any]


def dedupe(workspace: Workspace, what: str, config: DedupeConfig, semantic: SemanticConfig | None = None) -> Counts:
    """Drop the problems or traces that are there already."""
    with workspace.writing(), open_store(workspace) as store:
        return dedupe_in(store, workspace, what, config, semantic=semantic)


def dedupe_in(
    store: Store,
    workspace: Workspace,
    what: str,
    config: DedupeConfig,
    *,
    semantic: SemanticConfig | None = None,
    keys: Iterable[Keys] | None = None,
) -> Counts:
    """Drop duplicates; keys are those of the texts, where they are known already."""
    step = f"dedupe {what}"
    reasons: dict[str, str] = {}
    read = partial(READERS[what], store, step)
    total = _count(read())
    with progress("dedupe", 2 * total if keys is None else total) as advance:
        kept = _count(without_duplicates(read, config, drop=reasons.__setitem__, keys=keys, advance=advance))
    if semantic:
        rest = partial(_without, read, reasons.copy())
        with progress("retold", 2 * kept) as advance:
            kept = _count(drop_retold(rest, semantic, drop=reasons.__setitem__, advance=advance))
    return finished(store, workspace, step, reasons, (total, kept))


def decontaminate(workspace: Workspace, against: str) -> Counts:
    """Drop the problems and traces that give away a benchmark: a file, a registered name, or `heldout`."""
    step = decontaminate_step(against)
    with workspace.writing(), open_store(workspace) as store:
        items = benchmark_items(workspace, store, against)
        total = count_leakable(store, against)
        with progress("decontaminate", total) as advance:
            kept, reasons = leaks_in(store, items, against, advance)
        return finished(store, workspace, step, reasons, (total, kept))


def count_leakable(store: Store, against: str) -> int:
    """Count the texts that a benchmark is looked for in."""
    return sum(count_texts(store, what, decontaminate_step(against)) for what in READERS)


def leaks_in(
    store: Store, items: Sequence[Item], against: str, advance: Callable[[int], None]
) -> tuple[int, dict[str, str]]:
    """Return how many texts of a store give no item away, and why each of the others does."""
    index, kept, reasons = LeakIndex(items, Thresholds()), 0, dict[str, str]()
    for read in READERS.values():
        texts, name = read(store, decontaminate_step(against)), benchmark_name(against)
        kept += _count(without_leaks(texts, index, name, drop=reasons.__setitem__, advance=advance))
    return kept, reasons


def undo(workspace: Workspace, step: str) -> int:
    """Restore what the newest run of a step dropped; return how many records that is."""
    with workspace.writing(), open_store(workspace) as store:
        return take_back(store, workspace.parts, step)


def summary(counts: Counts, what: str) -> str:
    """Say the counts in a line, and a line for every kind of reason."""
    lines = [f"{counts['in']} {what}: {counts['kept']} kept, {sum(counts['dropped'].values())} dropped"]
    return "\n".join([*lines, *(f"  {num:>8} {kind}" for kind, num in counts["dropped"].items())])


def benchmark_name(against: str) -> str:
    """Return what a benchmark is called in reasons: the name, or the file's without its ending."""
    return Path(against).stem


def decontaminate_step(against: str) -> str:
    """Return the step of decontaminating against one benchmark; each has its own, so that they add up."""
    return f"decontaminate {benchmark_name(against)}"


def benchmark_items(workspace: Workspace, store: Store, against: str) -> list[Item]:
    """Return the problems of a benchmark: of a file, or those of the store that are held out."""
    if against == HELDOUT:
        items = heldout_items(problem_texts(store, decontaminate_step(against)))
        if not items:
            raise ConfigError(f"no problem has the tag {HELDOUT!r}; `gradus problems import --tag {HELDOUT}` sets it")
        return items
    return read_benchmark(benchmark_path(workspace, against))


def benchmark_path(workspace: Workspace, against: str) -> Path:
    """Return the file of a benchmark that is not `heldout`."""
    folder = workspace.root / "benchmarks"
    for path in (folder / f"{against}.jsonl", folder / f"{against}.parquet", Path(against)):
        if path.is_file():
            return path
    known = sorted(path.stem for path in folder.glob("*.*")) if folder.is_dir() else []
    raise ConfigError(
        f"no benchmark {against!r}: name a JSONL or Parquet file, or put one into {folder}. "
        f"There now: {', '.join([*known, HELDOUT])}."
    )


def _without(read: Texts, dropped: Mapping[str, str]) -> Iterable[Text]:
    return (text for text in read() if text.id not in dropped)


def _count(texts: Iterable[Text]) -> int:
    return sum(1 for _ in texts)


def finished(
    store: Store, workspace: Workspace, step: str, reasons: Mapping[str, str], counted: tuple[int, int]
) -> Counts:
    """Write the run and return its counts; a step that loses records is a bug."""
    total, kept = counted
    if total != kept + len(reasons):
        raise AssertionError(f"{step}: {total} in, {kept} kept and {len(reasons)} dropped do not add up")
    record_run(store, workspace.parts, step, reasons, looked_at=total)
    return {"in": total, "kept": kept, "dropped": reason_kinds(reasons)}
