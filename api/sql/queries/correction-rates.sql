-- How many of the failed attempts that each teacher was shown it put right.
SELECT teacher.model_id AS teacher, teacher.domain, failed.model_id AS student, count(*) AS tried,
       count(*) FILTER (teacher.outcome = 'pass') AS corrected, corrected / tried AS share
FROM judged AS teacher
JOIN attempts AS failed ON failed.id = teacher.failed_attempt_id
GROUP BY ALL
ORDER BY ALL
