-- Passing answers, different in text, the first $per_problem of each problem and kind; a correction comes
-- with the answer that it corrects.
-- What is long is joined when the few are chosen, as windows hold all that they see.
WITH passing AS (
    SELECT judged.id, judged.problem_id, judged.failed_attempt_id, judged.failed_attempt_id IS NULL AS first_try,
           row_number() OVER (
               PARTITION BY judged.problem_id, md5_number(judged.answer), judged.failed_attempt_id
               ORDER BY judged."index", judged.id
           ) AS copy
    FROM judged
    JOIN problems ON problems.id = judged.problem_id
    LEFT JOIN revised ON revised.attempt_id = judged.id
    WHERE judged.outcome = 'pass' AND judged.finish_reason = 'stop'
      AND (judged.failed_attempt_id IS NULL OR revised.fault = '')
      AND NOT list_contains(problems.tags, $heldout)
      AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
), chosen AS (
    SELECT id, failed_attempt_id
    FROM passing
    WHERE copy = 1
    QUALIFY row_number() OVER (PARTITION BY problem_id, first_try ORDER BY id) <= $per_problem
), failed AS (
    SELECT id, answer FROM attempts WHERE id IN (SELECT failed_attempt_id FROM chosen)
)
SELECT attempts.id, attempts.problem_id, problems.domain, problems.prompt, attempts.messages, attempts.tokens_out,
       attempts.model_id, attempts.failed_attempt_id, failed.answer AS failed_answer,
       revised.step, revised.kept, revised.shown, revised.why, revised."text"
FROM chosen
JOIN attempts ON attempts.id = chosen.id
JOIN problems ON problems.id = attempts.problem_id
LEFT JOIN failed ON failed.id = attempts.failed_attempt_id
LEFT JOIN revised ON revised.attempt_id = attempts.id
ORDER BY attempts.problem_id, attempts.id
