-- Imported conversations that cleaning left in, none about a held-out problem, at most $limit of each teacher and domain.
SELECT traces.*
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
WHERE traces.kind = 'imported' AND NOT coalesce(list_contains(problems.tags, $heldout), false)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id IN (traces.id, traces.problem_id))
QUALIFY row_number() OVER (PARTITION BY traces.teacher, traces.domain ORDER BY traces.id) <= $limit
ORDER BY traces.teacher, traces.domain, traces.id
