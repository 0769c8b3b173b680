-- What two checkpoints did at each problem that either tried: attempts and passes in those ways, prompt and sampling, in
-- which both tried it. The rates are of pass@1, which is unbiased where attempts stopped at a pass, too.
WITH a AS (
    FROM difficulty WHERE model_id = $model_a AND policy_version = $version_a
), b AS (
    FROM difficulty WHERE model_id = $model_b AND policy_version = $version_b
), ways AS (
    SELECT coalesce(a.problem_id, b.problem_id) AS problem_id, coalesce(a.domain, b.domain) AS domain,
           a.num_attempts AS attempts_a, a.num_passed AS passed_a, a.pass_at_1 AS rate_a,
           b.num_attempts AS attempts_b, b.num_passed AS passed_b, b.pass_at_1 AS rate_b,
           attempts_a IS NOT NULL AND attempts_b IS NOT NULL AS same
    FROM a
    FULL JOIN b ON a.problem_id = b.problem_id AND a.sampler = b.sampler
)
SELECT problem_id, any_value(domain) AS domain,
       CASE WHEN bool_or(same) THEN 'both'
            WHEN count(attempts_a) > 0 AND count(attempts_b) > 0 THEN 'differently'
            WHEN count(attempts_a) > 0 THEN 'only a' ELSE 'only b' END AS tried,
       coalesce(sum(attempts_a) FILTER (same), 0)::BIGINT AS attempts_a,
       coalesce(sum(passed_a) FILTER (same), 0)::BIGINT AS passed_a,
       coalesce(sum(attempts_b) FILTER (same), 0)::BIGINT AS attempts_b,
       coalesce(sum(passed_b) FILTER (same), 0)::BIGINT AS passed_b,
       coalesce(sum(rate_a * attempts_a) FILTER (same) / sum(attempts_a) FILTER (same), 0) AS rate_a,
       coalesce(sum(rate_b * attempts_b) FILTER (same) / sum(attempts_b) FILTER (same), 0) AS rate_b
FROM ways
GROUP BY problem_id
ORDER BY problem_id
