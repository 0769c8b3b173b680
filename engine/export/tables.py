"""What an export holds: the columns of each kind of record, and its rows as they come out of a store.

Conversations are lists of `{role, content, reasoning, tool_calls, name, tool_call_id, given}`, not JSON text, so that
trainers can read them. Tool calls have OpenAI's form. Their arguments, `spec` and `sampling`, whose keys differ from
row to row, are JSON text.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from gradus.engine.records import HELDOUT, canonical_json
from gradus.engine.store import SQL, Store
from gradus.errors import DataError

text, texts = pa.string(), pa.list_(pa.string())
FUNCTION = pa.struct({"name": text, "arguments": text})
CALLS = pa.list_(pa.struct({"id": text, "type": text, "function": FUNCTION}))
MESSAGES = pa.list_(
    pa.struct(
        {"role": text, "content": text, "reasoning": text, "tool_calls": CALLS}
        | {"name": text, "tool_call_id": text, "given": pa.int32()}
    )
)
MEASURED = pa.struct(
    {"model_id": text, "policy_version": text, "sampler": text}
    | {"num_attempts": pa.int32(), "num_passed": pa.int32(), "pass_rate": pa.float64()}
)
COLUMNS = {
    "traces": pa.schema(
        {"id": text, "kind": text, "domain": text, "messages": MESSAGES, "learn": pa.list_(pa.bool_())}
        | {"problem_id": text, "attempt_id": text, "failed_attempt_id": text, "teacher": text}
        | {"source": text, "row": text, "licence": text}
    ),
    "problems": pa.schema(
        {"id": text, "prompt": text, "domain": text, "verifier": text, "spec": text, "parents": texts, "tags": texts}
        | {
            "difficulty": pa.list_(MEASURED),
            "priors": pa.list_(pa.struct({"model_id": text, "pass_rate": pa.float64()})),
        }
        | {"source": text, "row": text, "licence": text}
    ),
    "attempts": pa.schema(
        {"id": text, "problem_id": text, "domain": text, "model_id": text, "policy_version": text, "sampler": text}
        | {"index": pa.int32(), "seed": pa.int64(), "sampling": text, "messages": MESSAGES}
        | {"token_ids": pa.list_(pa.int32()), "token_logprobs": pa.list_(pa.float32())}
        | {"tokens_in": pa.int32(), "tokens_out": pa.int32(), "seconds": pa.float64(), "finish_reason": text}
        | {"failed_attempt_id": text, "verifier": text, "verifier_version": text, "outcome": text}
        | {"score": pa.float64(), "reason": text, "source": text, "licence": text}
    ),
}
MEANINGS = {
    "id": "SHA-256 of what makes the record this one",
    "problem_id": "the problem that it answers; empty if the source gives no answer to verify",
    "teacher": "the model that wrote the answer",
    "source": "where it comes from",
    "learn": "one flag a message: is it to be learnt?",
    "kind": "`cot`: right at the first try; `correction`: after a failed attempt; `imported`: from the named source",
    "row": "the row's own id in its source",
    "licence": "as the source states it; empty if it does not",
    "difficulty": "what was measured, by model and way of asking; pass_rate is the unbiased estimate",
    "priors": "pass rates that others measured",
    "spec": "the verifier's arguments, as JSON",
    "sampling": "the sampling settings, as JSON",
    "outcome": "`pass`, `fail`, `unparseable` or `verifier_error`, by the verifier's newest version",
    "failed_attempt_id": "the attempt that is corrected",
}
Row = dict[str, Any]


def read_rows(store: Store, what: str) -> Iterator[list[Row]]:
    """Yield every record; `split` says where it goes, `dropped` why it does not."""
    # The optimizer would put the smaller table left, and hold the larger one in memory.
    store.rows("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    for rows in store.batches((SQL / f"export_{what}.sql").read_text(), {"heldout": HELDOUT, "ids": None}):
        yield [_record(row) | {"split": HELDOUT if row["heldout"] else "train"} for row in rows]


def read_chosen(store: Store, what: str, chosen: Iterable[tuple[str, list[str]]]) -> Iterator[list[Row]]:
    """Yield the records of (split, ids) in that order, dropped or not."""
    query = (SQL / f"export_{what}.sql").read_text()
    seen: dict[str, set[int]] = defaultdict(set)
    for split, named in chosen:
        # A conversation may be in a stage once for each of its turns.
        ids = [name for name in dict.fromkeys(named) if int(name[:16], 16) not in seen[split]]
        seen[split] |= {int(name[:16], 16) for name in ids}
        found = {row["id"]: row for row in store.rows(query, {"heldout": HELDOUT, "ids": ids})}
        if missing := [record for record in ids if record not in found]:
            raise DataError(f"{what}: {missing[0]} is not in this workspace, though the manifest names it")
        yield [_record(found[record]) | {"split": split, "dropped": None} for record in ids]


def _record(row: Row) -> Row:
    if "messages" in row:
        row["messages"] = [_turn(message) for message in json.loads(row["messages"])]
    return row


def _turn(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message with its calls in OpenAI's form."""
    calls = [
        {"id": call.get("id"), "type": "function"}
        | {"function": {"name": call["name"], "arguments": canonical_json(call["arguments"])}}
        for call in message.get("tool_calls", ())
    ]
    return message | {"tool_calls": calls} if calls else message
