SELECT problem_id || '/' || model_id || '/' || sampler AS key, *
FROM difficulty
WHERE key > $after
  AND ($domain IS NULL OR domain = $domain)
  AND ($model IS NULL OR model_id = $model)
  AND pass_at_1 BETWEEN $low AND $high
ORDER BY key
LIMIT $limit
