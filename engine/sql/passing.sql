-- Passing answers, different in text, the first $per_problem of each problem and kind; a correction comes
-- with the answer that it corrects.
WITH passing AS (
    SELECT judged.id, judged.problem_id, judged.messages, judged.model_id, judged.failed_attempt_id,
           failed.answer AS failed_answer, judged.failed_attempt_id IS NULL AS first_try,
           row_number() OVER (
               PARTITION BY judged.problem_id, judged.answer, judged.failed_attempt_id
               ORDER BY judged."index", judged.id
           ) AS copy
    FROM judged
    JOIN problems ON problems.id = judged.problem_id
    LEFT JOIN attempts AS failed ON failed.id = judged.failed_attempt_id
    WHERE judged.outcome = 'pass' AND judged.finish_reason = 'stop'
      AND NOT list_contains(problems.tags, $heldout)
      AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
)
SELECT * EXCLUDE (copy, first_try)
FROM passing
WHERE copy = 1
QUALIFY row_number() OVER (PARTITION BY problem_id, first_try ORDER BY id) <= $per_problem
ORDER BY problem_id, id
