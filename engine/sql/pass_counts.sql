-- How often one model passed each problem, over all the ways it was asked.
SELECT problem_id, sum(num_attempts) AS num_attempts, sum(num_passed) AS num_passed
FROM difficulty
WHERE model_id = $model
GROUP BY problem_id
