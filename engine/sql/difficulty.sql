-- pass@k by the unbiased estimator 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, equation 1), null where k > n;
-- Wilson's (1927) 95% interval of the pass rate. Unparseable answers count as not passed; attempts
-- that could not be judged do not count; corrections saw the answer and do not count either.
-- C(n-c, k) / C(n, k) is the product over i < k of (n - c - i) / (n - i). At k = 1 that is c / n, written so because
-- 1 - 0.8 is less than 0.2, which would fall out of a band that begins there.
--
-- A sampler that stops a problem at its m-th whole pass (`-until-m`): the attempt that ended it had to pass, so it says
-- nothing. The others may stand in any order, and their share of passes, (c - 1) / (n - 1), is the unbiased estimate
-- (Girshick, Mosteller and Savage 1946; Haldane 1945 without a cap). A problem that reached the cap, or was left before,
-- has c / n. An only attempt that passed is 1. The interval goes from the lower end for c - 1 of n - 1 to the upper end for
-- c of n: over all outcomes it covers p more often than Wilson's does for a fixed number (tests/engine/test_difficulty.py).
-- pass@k for k > 1 is null: whether k attempts would have been made depends on the cap, which may be raised.
INSERT INTO difficulty
WITH counted AS (
    SELECT problem_id, domain, model_id, policy_version, sampler, count(*) AS n,
           count(*) FILTER (outcome = 'pass') AS c,
           count(*) FILTER (outcome = 'unparseable') AS unparseable,
           count(*) FILTER (outcome = 'pass' AND finish_reason = 'stop') AS whole,
           wanted_passes(sampler) AS wanted
    FROM judged_among('unscored_attempts')
    WHERE failed_attempt_id IS NULL AND outcome <> 'verifier_error'
    GROUP BY ALL
), free AS (
    SELECT *, wanted IS NULL AS fixed, coalesce(whole >= wanted, false)::INTEGER AS ended,
           n - ended AS tries, c - ended AS hits
    FROM counted
)
SELECT problem_id, domain, model_id, policy_version, sampler, n, c, unparseable,
       CASE WHEN tries = 0 THEN 1 ELSE hits / tries END,
       CASE WHEN fixed AND n >= 2 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(2)]) END,
       CASE WHEN fixed AND n >= 4 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(4)]) END,
       CASE WHEN fixed AND n >= 8 THEN 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(8)]) END,
       CASE WHEN tries = 0 THEN 0 ELSE wilson_low(hits, tries) END,
       wilson_high(c, n)
FROM free;
