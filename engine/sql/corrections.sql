-- What became of the corrections.
SELECT count(*) AS corrections, count(*) FILTER (outcome = 'pass') AS kept
FROM judged
WHERE failed_attempt_id IS NOT NULL
