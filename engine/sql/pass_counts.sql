-- How often one model passed each problem, over all the ways it was asked. The rate is of attempts whose number was
-- fixed; where there are none, it is the mean of the unbiased estimates of those that stopped at a pass.
SELECT problem_id, sum(num_attempts) AS num_attempts, sum(num_passed) AS num_passed,
       coalesce(
           sum(num_passed) FILTER (wanted_passes(sampler) IS NULL)
           / sum(num_attempts) FILTER (wanted_passes(sampler) IS NULL),
           avg(pass_at_1)
       ) AS pass_rate
FROM difficulty
WHERE model_id = $model
GROUP BY problem_id
