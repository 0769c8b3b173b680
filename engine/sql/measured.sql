-- Of tallies: pass@k (0014), and Wilson's (1927) 95% interval of the pass rate. Unparseable answers count as not passed;
-- attempts that could not be judged do not count; corrections saw the answer and do not count either.
--
-- A sampler that stops a problem at its m-th whole pass (`-until-m`): the attempt that ended it had to pass, so it says
-- nothing. The others may stand in any order, and their share of passes, (c - 1) / (n - 1), is the unbiased estimate
-- (Girshick, Mosteller and Savage 1946; Haldane 1945 without a cap). A problem that reached the cap, or was left before,
-- has c / n. An only attempt that passed is 1. The interval goes from the lower end for c - 1 of n - 1 to the upper end for
-- c of n: over all outcomes it covers p more often than Wilson's does for a fixed number (tests/engine/test_difficulty.py).
-- pass@k for k > 1 is null: whether k attempts would have been made depends on the cap, which may be raised.
INSERT INTO measured
WITH counted AS (
    SELECT * RENAME (num_passed AS c, num_unparseable AS unparseable, num_whole_passes AS whole),
           num_passed + num_failed + num_unparseable AS n, wanted_passes(sampler) AS wanted
    FROM tallies
    WHERE NOT correction AND problem_id IN (FROM scoring)
), free AS (
    SELECT *, wanted IS NULL AS fixed, coalesce(whole >= wanted, false)::INTEGER AS ended,
           n - ended AS tries, c - ended AS hits
    FROM counted
    WHERE n > 0
)
SELECT problem_id, domain, model_id, policy_version, sampler, n, c, unparseable,
       CASE WHEN tries = 0 THEN 1 ELSE hits / tries END,
       CASE WHEN fixed THEN pass_at(2, n, c) END, CASE WHEN fixed THEN pass_at(4, n, c) END,
       CASE WHEN fixed THEN pass_at(8, n, c) END, CASE WHEN fixed THEN pass_at(16, n, c) END,
       CASE WHEN tries = 0 THEN 0 ELSE wilson_low(hits, tries) END,
       wilson_high(c, n), hash(problem_id) AS "key"
FROM free
ORDER BY "key";
