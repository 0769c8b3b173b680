-- Imported traces of some domains that no step has dropped and that tell nothing of a held-out problem.
SELECT traces.*
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
WHERE traces.kind = 'imported' AND list_contains($domains, traces.domain)
  AND NOT coalesce(list_contains(problems.tags, $heldout), false)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = traces.id)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = traces.problem_id)
ORDER BY traces.id
