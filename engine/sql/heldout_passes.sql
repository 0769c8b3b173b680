-- One model's attempts and passes, by problem, on tagged problems that were put to it in the given ways.
SELECT d.problem_id, d.domain, sum(d.num_attempts) AS num_attempts, sum(d.num_passed) AS num_passed
FROM difficulty AS d
JOIN problems ON problems.id = d.problem_id
WHERE d.model_id = $model AND list_contains($samplers, d.sampler) AND list_contains(problems.tags, $tag)
GROUP BY ALL
ORDER BY ALL
