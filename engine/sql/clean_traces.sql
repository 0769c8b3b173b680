-- A page of the traces that no step but $step has dropped, with the arguments of their problems' verifiers.
SELECT traces.id AS key, traces.id, traces.messages, problems.spec
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
WHERE traces.id > $after
  AND NOT EXISTS (
      FROM dropped
      WHERE dropped.record_id IN (traces.id, traces.problem_id) AND dropped.step <> $step
  )
ORDER BY traces.id
LIMIT $limit
