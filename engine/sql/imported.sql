-- Imported conversations of $domains (null: of all) that cleaning left in, none about a held-out problem; at most
-- $limit (null: all) of each teacher and domain.
SELECT traces.*
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
WHERE traces.kind = 'imported' AND ($domains IS NULL OR list_contains($domains, traces.domain))
  AND NOT coalesce(list_contains(problems.tags, $heldout), false)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = traces.id)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = traces.problem_id)
QUALIFY $limit IS NULL OR row_number() OVER (PARTITION BY traces.teacher, traces.domain ORDER BY traces.id) <= $limit
ORDER BY traces.id
