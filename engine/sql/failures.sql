-- Wrong answers (not the unparseable ones) of one model, different in text, the first $per_problem of each problem.
WITH wrong AS (
    SELECT failures.attempt_id, failures.problem_id, failures.answer, failures.reason, failures.kind,
           row_number() OVER (
               PARTITION BY failures.problem_id, failures.answer ORDER BY failures."index", failures.attempt_id
           ) AS copy
    FROM failures
    WHERE failures.outcome = 'fail' AND failures.model_id = $model
)
SELECT wrong.attempt_id, wrong.answer, wrong.reason, wrong.kind, problems.*
FROM wrong
JOIN problems ON problems.id = wrong.problem_id
WHERE wrong.copy = 1 AND NOT list_contains(problems.tags, $heldout)
  AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
QUALIFY row_number() OVER (PARTITION BY problems.id ORDER BY wrong.attempt_id) <= $per_problem
ORDER BY problems.id, wrong.attempt_id
