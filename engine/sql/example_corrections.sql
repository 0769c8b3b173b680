-- A few corrections beside what they correct, one a problem.
SELECT prompt, failed, kind, corrected
FROM corrections
QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY attempt_id) = 1
ORDER BY domain, problem_id
LIMIT 12
