-- Failures by domain, kind and model; one with several kinds is counted in each. share: of the model's failures in the
-- domain. $model and $domain may be null, for all.
WITH shown AS (
    SELECT failures.*, count(*) OVER (PARTITION BY failures.domain, failures.model_id) AS total
    FROM failures
    JOIN problems ON problems.id = failures.problem_id
    WHERE ($model IS NULL OR failures.model_id = $model) AND ($domain IS NULL OR failures.domain = $domain)
      AND NOT list_contains(problems.tags, $heldout)
      AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)
), each_kind AS (
    SELECT * EXCLUDE (kind), unnest(kinds) AS kind FROM shown
), corrected AS (
    SELECT DISTINCT failed_attempt_id FROM corrections
)
SELECT domain, kind, model_id AS model, count(*) AS failures, count(DISTINCT problem_id) AS problems,
       count(*) / any_value(total) AS share, count(corrected.failed_attempt_id) AS corrected
FROM each_kind
LEFT JOIN corrected ON corrected.failed_attempt_id = each_kind.attempt_id
GROUP BY domain, kind, model_id
ORDER BY domain, model, failures DESC, kind
