-- What became of the corrections, by the kind of failure.
SELECT judged.domain, coalesce(failures.kind, 'not classified') AS kind, count(*) AS corrections,
       count(*) FILTER (judged.outcome = 'pass') AS passed,
       count(*) FILTER (judged.outcome = 'pass' AND revised.fault = '') AS kept
FROM judged
LEFT JOIN failures ON failures.attempt_id = judged.failed_attempt_id
LEFT JOIN revised ON revised.attempt_id = judged.id
WHERE judged.failed_attempt_id IS NOT NULL
GROUP BY ALL
ORDER BY ALL
