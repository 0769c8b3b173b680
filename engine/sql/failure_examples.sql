-- The first $num failures of each domain, kind and model, of different problems where there are as many.
WITH shown AS (
    SELECT failures.domain, unnest(failures.kinds) AS kind, failures.model_id AS model, failures.attempt_id,
           problems.prompt, failures.answer, failures.detail, failures.reason, problems.id AS problem_id
    FROM failures
    JOIN problems ON problems.id = failures.problem_id
    WHERE ($model IS NULL OR failures.model_id = $model) AND ($domain IS NULL OR failures.domain = $domain)
      AND NOT list_contains(problems.tags, $heldout)
      AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY domain, kind, model, problem_id ORDER BY attempt_id) AS turn FROM shown
)
SELECT * EXCLUDE (problem_id, turn)
FROM numbered
QUALIFY row_number() OVER (PARTITION BY domain, kind, model ORDER BY turn, attempt_id) <= $num
ORDER BY domain, model, kind, turn, attempt_id
