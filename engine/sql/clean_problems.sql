-- A page of the problems that no step but $step has dropped: held-out ones first, then by id.
SELECT if(list_contains(tags, $heldout), '0', '1') || id AS key, id, prompt, spec,
       list_contains(tags, $heldout) AS heldout
FROM problems
WHERE key > $after
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id AND dropped.step <> $step)
ORDER BY key
LIMIT $limit
