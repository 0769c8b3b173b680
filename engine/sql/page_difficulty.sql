SELECT rowid AS place, * EXCLUDE ("key")
FROM measured
WHERE rowid > $place
  AND ($domain IS NULL OR domain = $domain)
  AND ($model IS NULL OR model_id = $model)
  AND ($policy IS NULL OR policy_version = $policy)
  AND ($sampler IS NULL OR sampler = $sampler)
  AND ($min_attempts IS NULL OR num_attempts >= $min_attempts)
  AND ($min_rate IS NULL OR pass_at_1 >= $min_rate)
  AND ($max_rate IS NULL OR pass_at_1 <= $max_rate)
LIMIT $limit
