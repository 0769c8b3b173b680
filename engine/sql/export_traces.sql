-- Every trace, why it is left out if it is, and where it comes from. The larger table stands left, so that it streams.
WITH why AS (
    SELECT record_id, min(split_part(reason, ':', 1)) AS kind FROM dropped GROUP BY record_id
), origin AS (
    SELECT record_id, min_by(source, source) AS source, min_by("row", source) AS "row", min_by(licence, source) AS licence
    FROM origins
    GROUP BY record_id
)
SELECT traces.id, traces.kind, traces.domain, traces.messages, traces.learn, traces.problem_id, traces.attempt_id,
       traces.failed_attempt_id, traces.teacher,
       coalesce(own.source, problems.source, '') AS source, coalesce(own."row", '') AS "row",
       coalesce(own.licence, of_problem.licence, '') AS licence,
       coalesce(why.kind, why_problem.kind) AS dropped,
       coalesce(list_contains(problems.tags, $heldout), false) AS heldout
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
LEFT JOIN origin AS own ON own.record_id = traces.id
LEFT JOIN origin AS of_problem ON of_problem.record_id = traces.problem_id
LEFT JOIN why ON why.record_id = traces.id
LEFT JOIN why AS why_problem ON why_problem.record_id = traces.problem_id
WHERE $ids IS NULL OR list_contains($ids, traces.id)
