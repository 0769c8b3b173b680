-- For each teacher and domain that has traces, the mean of $metric under a student, with its 95% interval, as the view
-- teacher_fit has it: a ratio of sums over problems, linearised. Of the definitions that end in $template, the one with
-- the most traces; its name breaks ties. What is not measured has no value, and a single problem no interval.
WITH kept AS (
    SELECT id, teacher, domain, coalesce(nullif(problem_id, ''), id) AS problem
    FROM traces
    WHERE NOT EXISTS (FROM dropped WHERE record_id = traces.id)
), scored AS (
    SELECT kept.*, fits.* EXCLUDE (trace_id)
    FROM fits
    JOIN kept ON kept.id = fits.trace_id
    WHERE model_id = $student AND ends_with(definition, $template)
), chosen AS (
    SELECT definition FROM scored GROUP BY definition ORDER BY count(*) DESC, definition LIMIT 1
), by_problem AS (
    SELECT teacher, domain, problem, any_value(definition) AS definition, count(*) AS n,
           sum(CASE $metric WHEN 'rsr' THEN "rank" WHEN 'local_nll' THEN local_nll WHEN 'nll' THEN nll
                            WHEN 'tokens' THEN num_tokens WHEN 'steps' THEN num_steps END) AS above,
           sum(CASE $metric WHEN 'rsr' THEN nll ELSE 1 END) AS below
    FROM scored
    WHERE definition IN (FROM chosen)
    GROUP BY ALL
), ratios AS (
    SELECT *, sum(above) OVER one / sum(below) OVER one AS ratio
    FROM by_problem
    WINDOW one AS (PARTITION BY teacher, domain)
), means AS (
    SELECT teacher, domain, any_value(definition) AS definition, sum(n)::BIGINT AS traces, count(*) AS problems,
           any_value(ratio) AS mean,
           1.959963984540054 * sqrt(count(*) / nullif(count(*) - 1, 0) * sum((above - ratio * below) ** 2)) / sum(below)
               AS reach
    FROM ratios
    GROUP BY teacher, domain
)
SELECT pairs.teacher, pairs.domain, coalesce(definition, '') AS definition, coalesce(traces, 0) AS traces,
       coalesce(problems, 0) AS problems, mean, mean - reach AS low, mean + reach AS high
FROM (SELECT DISTINCT teacher, domain FROM kept) AS pairs
LEFT JOIN means USING (teacher, domain)
ORDER BY domain, teacher
