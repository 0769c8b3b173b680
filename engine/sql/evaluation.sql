-- One model's pass rate on tagged problems, asked in the given ways, with Wilson's (1927) 95% interval over attempts.
WITH counted AS (
    SELECT d.domain, count(*) AS problems, sum(d.num_attempts) AS n, sum(d.num_passed) AS c
    FROM difficulty AS d
    JOIN problems ON problems.id = d.problem_id
    WHERE d.model_id = $model AND list_contains($samplers, d.sampler) AND list_contains(problems.tags, $tag)
    GROUP BY d.domain
)
SELECT domain, problems, n AS attempts, c / n AS pass_at_1,
       (c / n + z * z / (2 * n) - z * sqrt(c / n * (1 - c / n) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS low,
       (c / n + z * z / (2 * n) + z * sqrt(c / n * (1 - c / n) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS high
FROM counted, (SELECT 1.959963984540054 AS z)
ORDER BY domain
