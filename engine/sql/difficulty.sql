-- pass@k by the unbiased estimator 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, equation 1), null where k > n;
-- Wilson's (1927) 95% interval of the pass rate. Unparseable answers count as not passed; attempts
-- that could not be judged do not count; corrections saw the answer and do not count either.
-- C(n-c, k) / C(n, k) is the product over i < k of (n - c - i) / (n - i).
INSERT INTO difficulty
WITH counted AS (
    SELECT problem_id, domain, model_id, sampler, count(*) AS n,
           count(*) FILTER (outcome = 'pass') AS c,
           count(*) FILTER (outcome = 'unparseable') AS unparseable
    FROM judged
    WHERE failed_attempt_id IS NULL AND outcome <> 'verifier_error'
    GROUP BY ALL
)
SELECT problem_id, domain, model_id, sampler, n, c, unparseable,
       CASE WHEN n >= 1 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(1)]) END,
       CASE WHEN n >= 2 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(2)]) END,
       CASE WHEN n >= 4 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(4)]) END,
       CASE WHEN n >= 8 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(8)]) END,
       (c / n + z * z / (2 * n) - z * sqrt(c / n * (1 - c / n) / n + z * z / (4 * n * n))) / (1 + z * z / n),
       (c / n + z * z / (2 * n) + z * sqrt(c / n * (1 - c / n) / n + z * z / (4 * n * n))) / (1 + z * z / n)
FROM counted, (SELECT 1.959963984540054 AS z);
