-- `stands` is where the verdicts are looked up by.
SELECT rowid AS place, rowid AS stands, id, problem_id, model_id, policy_version, sampler, "index", seed, answer,
       tokens_in, tokens_out, seconds, finish_reason, failed_attempt_id
FROM attempts
WHERE rowid > $place
  AND ($places IS NULL OR rowid IN (SELECT unnest($places::BIGINT[])))
  AND ($model IS NULL OR model_id = $model)
  AND ($policy IS NULL OR policy_version = $policy)
  AND ($sampler IS NULL OR sampler = $sampler)
  AND ($finish_reason IS NULL OR finish_reason = $finish_reason)
  AND ($correction IS NULL OR (failed_attempt_id IS NOT NULL) = $correction)
  AND ($text IS NULL OR contains(lower(answer), lower($text)))
ORDER BY rowid
LIMIT $limit
