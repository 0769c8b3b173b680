-- How often a checkpoint passed each problem, over all the ways it was asked, and how often an earlier one did in those
-- ways: a rate that was measured with another prompt or temperature says nothing of what was forgotten.
WITH now AS (
    FROM difficulty WHERE model_id = $model AND policy_version = $policy_version
), earlier AS (
    FROM difficulty WHERE model_id = $earlier_model AND policy_version = $earlier_version
)
SELECT problem_id, sum(now.num_attempts)::BIGINT AS num_attempts, sum(now.num_passed)::BIGINT AS num_passed,
       coalesce(sum(earlier.num_attempts), 0)::BIGINT AS earlier_attempts,
       coalesce(sum(earlier.num_passed), 0)::BIGINT AS earlier_passed
FROM now
LEFT JOIN earlier USING (problem_id, sampler)
GROUP BY problem_id
ORDER BY problem_id
