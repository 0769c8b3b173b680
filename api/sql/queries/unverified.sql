-- Attempts that no verifier has judged yet.
-- $limit integer = 100: at most so many
SELECT attempts.id, attempts.problem_id, problems.domain, problems.verifier, attempts.model_id
FROM attempts
JOIN problems ON problems.id = attempts.problem_id
WHERE NOT EXISTS (FROM verdicts WHERE attempt_id = attempts.id AND verdicts.verifier = problems.verifier)
ORDER BY attempts.id
LIMIT $limit
