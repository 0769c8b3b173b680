-- The traces that no step but $step has dropped, with the arguments of their problems' verifiers.
SELECT traces.id, traces.messages, problems.spec
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
WHERE NOT EXISTS (FROM dropped WHERE dropped.record_id = traces.id AND dropped.step <> $step)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = traces.problem_id AND dropped.step <> $step)
ORDER BY traces.id
