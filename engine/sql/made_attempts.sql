-- Which attempts one model has made at each problem; corrections are not among them.
SELECT problem_id, list({sampler: sampler, "index": "index"}) AS attempts
FROM attempts
WHERE model_id = $model AND failed_attempt_id IS NULL
GROUP BY problem_id
