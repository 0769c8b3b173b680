-- Why corrections are not kept: the outcome of those that did not pass, the kind of fault of the others.
SELECT CASE WHEN judged.outcome <> 'pass' THEN judged.outcome
            ELSE coalesce(split_part(revised.fault, ':', 1), 'not read yet') END AS reason,
       count(*) AS n
FROM judged
LEFT JOIN revised ON revised.attempt_id = judged.id
WHERE judged.failed_attempt_id IS NOT NULL AND NOT (judged.outcome = 'pass' AND coalesce(revised.fault = '', false))
GROUP BY ALL
ORDER BY ALL
