-- pass@k by the unbiased estimator 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, equation 1), null where k > n;
-- Wilson's (1927) 95% interval of the pass rate. Unparseable answers count as not passed; attempts
-- that could not be judged do not count; corrections saw the answer and do not count either.
-- C(n-c, k) / C(n, k) is the product over i < k of (n - c - i) / (n - i). At k = 1 that is c / n, written so because
-- 1 - 0.8 is less than 0.2, which would fall out of a band that begins there.
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
       c / n,
       CASE WHEN n >= 2 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(2)]) END,
       CASE WHEN n >= 4 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(4)]) END,
       CASE WHEN n >= 8 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(8)]) END,
       wilson_low(c, n),
       wilson_high(c, n)
FROM counted;
