-- How students read teachers' traces. rsr is the rank-surprisal ratio, mean rank over mean NLL; as for local_nll, lower
-- fits better. Ends of 95% intervals are of a ratio of sums over problems, linearised; null for a single problem.
WITH by_problem AS (
    SELECT fits.model_id AS student, fits.definition, traces.domain, traces.teacher,
           coalesce(nullif(traces.problem_id, ''), traces.id) AS problem, count(*) AS n, sum(fits."rank") AS "rank",
           sum(fits.nll) AS nll, sum(fits.local_nll) AS local_nll, sum(fits.num_tokens) AS tokens
    FROM fits
    JOIN traces ON traces.id = fits.trace_id
    GROUP BY ALL
), ratios AS (
    SELECT *, sum("rank") OVER one / sum(nll) OVER one AS rsr, sum(local_nll) OVER one / sum(n) OVER one AS mean_local
    FROM by_problem
    WINDOW one AS (PARTITION BY student, definition, domain, teacher)
), errors AS (
    SELECT student, definition, domain, teacher, sum(n)::BIGINT AS traces, count(*) AS problems, any_value(rsr) AS rsr,
           any_value(mean_local) AS local_nll, sum(nll) / sum(n) AS nll, sum(tokens) / sum(n) AS tokens,
           1.959963984540054 * sqrt(count(*) / nullif(count(*) - 1, 0)) AS width,
           sqrt(sum(("rank" - rsr * nll) ** 2)) / sum(nll) AS rsr_error,
           sqrt(sum((local_nll - mean_local * n) ** 2)) / sum(n) AS local_error
    FROM ratios
    GROUP BY student, definition, domain, teacher
)
SELECT student, definition, domain, teacher, traces, problems, rsr, rsr - width * rsr_error AS rsr_low,
       rsr + width * rsr_error AS rsr_high, local_nll, local_nll - width * local_error AS local_nll_low,
       local_nll + width * local_error AS local_nll_high, nll, tokens
FROM errors
ORDER BY student, domain, rsr
