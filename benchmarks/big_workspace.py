"""A workspace of any size, written as Parquet in bulk: problems, attempts at each by one model, and their verdicts.

    python benchmarks/big_workspace.py FOLDER [--problems 1000000] [--attempts 16] [--worked] [--open]

Ids are 64 hexadecimal digits, as ours are, but hashes of numbers instead of content; prompts have about 180 characters
and are all different; how hard a problem is spreads over all of [0, 1]. Two sizes of text: by default answers are one
line (about 25 characters, "text-light") and messages hold the answer alone; with --worked answers are worked in steps
(about 400 characters) and messages hold the prompt too, as they do when teachers are asked. No token ids either way.
`--open` takes the parts in, too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

import duckdb

from gradus.engine.workspace import Workspace

PROBLEMS_A_PART = 62_500
MODEL, SAMPLER = "bench-1b", "0123456789ab"
DOMAIN = """CASE WHEN h % 20 < 10 THEN 'math' WHEN h % 20 < 15 THEN 'code' WHEN h % 20 < 17 THEN 'instruction'
            WHEN h % 20 < 19 THEN 'stem' ELSE 'tool' END"""
PROBLEMS = f"""
SELECT sha256('problem ' || i) AS id,
       'Order ' || i || ': ' || names[1 + (h % 12)::INT] || ' packs ' || (h // 12 % 900 + 2) || ' '
           || things[1 + (h // 10800 % 9)::INT] || ' into boxes of ' || (h // 97200 % 40 + 2) || ', and '
           || names[1 + (h // 3888000 % 12)::INT] || ' brings ' || (h // 7777777 % 90) || ' more before the van leaves '
           || 'at noon. How many full boxes are there in the end, and how many ' || things[1 + (h // 10800 % 9)::INT]
           || ' are left over?' AS prompt,
       {DOMAIN} AS domain, domain AS verifier, '{{"expected":"' || (h % 997) || '"}}' AS spec,
       'orders-' || (h // 7 % 4) AS source, []::VARCHAR[] AS parents,
       CASE WHEN h % 50 = 0 THEN ['held-out'] WHEN h % 10 < 3 THEN ['boxes', 'orders'] ELSE ['orders'] END AS tags
FROM (
    SELECT range AS i, hash(range) AS h,
           ['Ada','Bo','Cy','Dot','Eve','Flo','Gus','Hal','Ivy','Jon','Kim','Lou'] AS names,
           ['apples','books','coins','discs','eggs','flags','games','hats','kites'] AS things
    FROM range($first, $last)
)
"""
TRIED = """
SELECT i, "index", hash(i) AS h, hash(i, "index") / 18446744073709551616.0 AS luck,
       (hash(i, 'hard') % 1001) / 1000 AS ease,
       sha256('attempt ' || i || ' ' || "index") AS id, h % 997 + CASE WHEN luck < ease THEN 0 ELSE 1 END AS said,
       CASE WHEN $worked THEN
           'First I count what is packed, ' || h % 900 || ' in all, and put it into boxes one after the '
           || 'other. Of the boxes ' || (h // 3 % 40) || ' are full, which I check by multiplying: '
           || (h // 3 % 40) || ' times ' || (h // 5 % 40) || ' is ' || (h // 3 % 40) * (h // 5 % 40)
           || '. What is brought before noon goes '
           || 'into the next box, until that one is full as well, so I add and divide once more, and the remainder '
           || 'is what is left over when the van leaves. ' ELSE '' END
           || 'The answer is \\boxed{' || said || '}.' AS answer
FROM (SELECT range AS i FROM range($first, $last)), (SELECT range AS "index" FROM range($attempts))
"""
ATTEMPTS = f"""
SELECT id, sha256('problem ' || i) AS problem_id, '{MODEL}' AS model_id, '' AS policy_version, '{SAMPLER}' AS sampler,
       "index"::INTEGER AS "index", (i * 31 + "index")::BIGINT AS seed,
       '{{"max_tokens":512,"temperature":0.8}}' AS sampling,
       '[' || CASE WHEN $worked THEN
           '{{"content":"Order ' || i || ': how many full boxes are there in the end, and how many are '
           || 'left over? Think step by step, and end with the answer in a box.","role":"user"}},' ELSE '' END
           || '{{"content":"' || replace(answer, '\\', '\\\\') || '","role":"assistant"}}]' AS messages,
       answer, []::INTEGER[] AS token_ids, []::FLOAT[] AS token_logprobs, 60 + (i % 20)::INTEGER AS tokens_in,
       (length(answer) // 4 + "index")::INTEGER AS tokens_out, 0.5 + luck AS seconds, 'stop' AS finish_reason,
       NULL::VARCHAR AS failed_attempt_id
FROM ({TRIED})
"""
VERDICTS = f"""
SELECT id AS attempt_id, {DOMAIN} AS verifier, '1' AS version,
       CASE WHEN luck < ease THEN 'pass' WHEN luck > 0.98 THEN 'unparseable' ELSE 'fail' END AS outcome,
       (luck < ease)::INTEGER::DOUBLE AS score, 'got ' || said || ', expected ' || h % 997 AS reason, 0.0004 AS seconds
FROM ({TRIED})
"""


def write_parts(workspace: Workspace, problems: int, attempts: int, *, worked: bool) -> None:
    """Write the parts; those that are there stay."""
    connection = duckdb.connect(config={"memory_limit": "4GB"})
    queries = {"problems": PROBLEMS, "attempts": ATTEMPTS, "verdicts": VERDICTS}
    for number, first in enumerate(range(0, problems, PROBLEMS_A_PART)):
        values = {
            "first": first,
            "last": min(problems, first + PROBLEMS_A_PART),
            "attempts": attempts,
            "worked": worked,
        }
        for table, query in queries.items():
            path = workspace.parts / table / "bulk" / f"0-{number}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                continue
            given = {name: value for name, value in values.items() if f"${name}" in query}
            fresh = path.with_name(f".{path.name}.tmp")
            connection.execute(f"COPY ({query}) TO '{fresh}' (FORMAT PARQUET, COMPRESSION zstd)", given)
            fresh.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--problems", type=int, default=1_000_000)
    parser.add_argument("--attempts", type=int, default=16, help="at each problem")
    parser.add_argument("--worked", action="store_true", help="answers of several lines")
    parser.add_argument("--open", action="store_true", help="take the parts into the database")
    args = parser.parse_args()
    workspace = Workspace.create(args.folder)
    start = time.perf_counter()
    try:
        write_parts(workspace, args.problems, args.attempts, worked=args.worked)
    except BaseException:
        shutil.rmtree(args.folder / "parts", ignore_errors=True)
        raise
    line = {"problems": args.problems, "attempts": args.problems * args.attempts, "worked": args.worked}
    line["written_s"] = round(time.perf_counter() - start, 1)
    line["parts_mb"] = sum(path.stat().st_size for path in workspace.parts.rglob("*.parquet")) >> 20
    if args.open:
        from gradus.engine.store import open_store

        start = time.perf_counter()
        with open_store(workspace):
            pass
        line["opened_s"] = round(time.perf_counter() - start, 1)
        line["database_mb"] = workspace.database.stat().st_size >> 20
    print(json.dumps(line))


if __name__ == "__main__":
    main()
