-- A few corrections beside what they correct, one a problem.
SELECT problems.prompt, failed.answer AS failed, failed.reason AS why, fixed.answer AS corrected
FROM judged AS fixed
JOIN judged AS failed ON failed.id = fixed.failed_attempt_id
JOIN problems ON problems.id = fixed.problem_id
WHERE fixed.outcome = 'pass'
QUALIFY row_number() OVER (PARTITION BY problems.id ORDER BY fixed.id) = 1
ORDER BY problems.domain, problems.id
LIMIT 12
