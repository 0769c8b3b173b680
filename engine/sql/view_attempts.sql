-- The attempts at $places with their newest verdict by $verifier; null where there is none yet.
-- First those that were corrected, so that what can be compared is seen first.
WITH mine AS (
    FROM attempts WHERE rowid IN (SELECT unnest($places::BIGINT[]))
), said AS (
    SELECT attempt_id, version, outcome, score, reason
    FROM verdicts
    WHERE rowid IN (SELECT place FROM verdict_places WHERE attempt IN (SELECT unnest($places::BIGINT[])))
      AND verifier = $verifier
), newest AS (
    FROM said
    WHERE NOT EXISTS (FROM said AS later WHERE later.attempt_id = said.attempt_id AND is_newer(later.version, said.version))
), corrected AS (
    SELECT failed_attempt_id AS id, count(*) AS corrections FROM mine GROUP BY ALL
)
SELECT mine.id, mine.model_id AS model, mine.policy_version, mine.sampler, mine."index", mine.answer, mine.tokens_out,
       mine.finish_reason, mine.failed_attempt_id, newest.outcome, newest.score, newest.reason,
       newest.version AS verifier_version, coalesce(corrected.corrections, 0) AS corrections
FROM mine
LEFT JOIN newest ON newest.attempt_id = mine.id
LEFT JOIN corrected ON corrected.id = mine.id
ORDER BY corrected.id IS NULL, mine.failed_attempt_id NULLS FIRST, model, mine.policy_version, mine.sampler, mine."index"
