-- Attempts whose newest verdict by rules is one of $outcomes, and on which no judge of this version has spoken.
SELECT judged.id, judged.answer, problems.prompt, problems.spec
FROM judged
JOIN problems ON problems.id = judged.problem_id
LEFT JOIN verdicts AS said
    ON said.attempt_id = judged.id AND said.verifier = 'model_judge' AND said.version = $version
WHERE list_contains($outcomes, judged.outcome) AND said.attempt_id IS NULL
ORDER BY judged.id
