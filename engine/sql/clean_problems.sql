-- The problems that no step but $step has dropped: held-out ones first, then by id.
SELECT id, prompt, spec, list_contains(tags, $heldout) AS heldout
FROM problems
WHERE NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id AND dropped.step <> $step)
ORDER BY list_contains(tags, $heldout) DESC, id
