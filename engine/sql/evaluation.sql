-- One model's pass rate on tagged problems, asked in the given ways, with Wilson's (1927) 95% interval over attempts.
WITH counted AS (
    SELECT d.domain, count(*) AS problems, sum(d.num_attempts) AS n, sum(d.num_passed) AS c
    FROM difficulty AS d
    JOIN problems ON problems.id = d.problem_id
    WHERE d.model_id = $model AND list_contains($samplers, d.sampler) AND list_contains(problems.tags, $tag)
    GROUP BY d.domain
)
SELECT domain, problems, n AS attempts, c / n AS pass_at_1,
       wilson_low(c, n) AS low,
       wilson_high(c, n) AS high
FROM counted
ORDER BY domain
