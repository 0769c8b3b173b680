-- A model's attempts at the problems with a tag, asked in the given ways, and how many did not pass. Attempts that could
-- not be judged do not count.
SELECT judged.problem_id, count(*) AS attempts, count(*) FILTER (judged.outcome <> 'pass') AS failed
FROM judged
JOIN problems ON problems.id = judged.problem_id
WHERE judged.model_id = $model AND list_contains($samplers, judged.sampler) AND list_contains(problems.tags, $tag)
  AND judged.failed_attempt_id IS NULL AND judged.outcome <> 'verifier_error'
GROUP BY ALL
ORDER BY ALL
