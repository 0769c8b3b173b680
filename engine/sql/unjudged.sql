-- Every attempt with its problem's verifier, and the versions under which that has judged it.
SELECT attempts.id, attempts.answer, problems.verifier, problems.spec,
       list(verdicts.version) FILTER (verdicts.version IS NOT NULL) AS versions
FROM attempts
JOIN problems ON problems.id = attempts.problem_id
LEFT JOIN verdicts ON verdicts.attempt_id = attempts.id AND verdicts.verifier = problems.verifier
GROUP BY ALL
ORDER BY attempts.id
