-- Wrong answers (not the unparseable ones) of one model, different in text, the first $per_problem of each problem.
WITH wrong AS (
    SELECT judged.id, judged.problem_id, judged.answer, judged.reason,
           row_number() OVER (PARTITION BY judged.problem_id, judged.answer ORDER BY judged."index", judged.id) AS copy
    FROM judged
    JOIN problems ON problems.id = judged.problem_id
    WHERE judged.outcome = 'fail' AND judged.failed_attempt_id IS NULL
      AND judged.model_id = $model AND NOT list_contains(problems.tags, $heldout)
      AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
)
SELECT id, problem_id, answer, reason
FROM wrong
WHERE copy = 1
QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY id) <= $per_problem
ORDER BY problem_id, id
