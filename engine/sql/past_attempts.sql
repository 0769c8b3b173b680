-- A model's attempts (corrections apart) with the verdicts of their problem's verifier, all its versions.
SELECT attempts.id, attempts.problem_id, attempts.sampler, attempts."index", attempts.finish_reason,
       list({version: verdicts.version, outcome: verdicts.outcome}) FILTER (verdicts.version IS NOT NULL) AS verdicts
FROM attempts
JOIN problems ON problems.id = attempts.problem_id
LEFT JOIN verdicts ON verdicts.attempt_id = attempts.id AND verdicts.verifier = problems.verifier
WHERE attempts.model_id = $model AND attempts.failed_attempt_id IS NULL
GROUP BY ALL
ORDER BY attempts.problem_id, attempts."index"
