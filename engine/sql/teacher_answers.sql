-- Passing first answers, different in text, the first $per_problem of each model and problem, of $limit problems of each
-- model and domain: those that most models passed come first, and among equals the order of their hashes is as good
-- as random. Corrections saw another's answer, so they are not compared.
WITH passing AS (
    SELECT judged.id, judged.problem_id, judged.domain, problems.prompt, judged.messages, judged.model_id,
           row_number() OVER (
               PARTITION BY judged.problem_id, judged.model_id, judged.answer
               ORDER BY judged."index", judged.id
           ) AS copy
    FROM judged
    JOIN problems ON problems.id = judged.problem_id
    WHERE judged.outcome = 'pass' AND judged.finish_reason = 'stop' AND judged.failed_attempt_id IS NULL
      AND NOT list_contains(problems.tags, $heldout)
      AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
), few AS (
    SELECT * EXCLUDE (copy)
    FROM passing
    WHERE copy = 1
    QUALIFY row_number() OVER (PARTITION BY problem_id, model_id ORDER BY id) <= $per_problem
), counted AS (
    SELECT *, count(DISTINCT model_id) OVER (PARTITION BY problem_id) AS num_models FROM few
)
SELECT * EXCLUDE (num_models), NULL AS failed_answer, NULL AS failed_attempt_id, NULL AS step
FROM counted
QUALIFY dense_rank() OVER (PARTITION BY model_id, domain ORDER BY num_models DESC, problem_id) <= $limit
ORDER BY model_id, domain, id
