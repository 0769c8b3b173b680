-- As page_problems, of those that a model was measured on, in a band of pass@1.
SELECT rowid AS place, *
FROM problems
WHERE rowid > $place
  AND ($places IS NULL OR rowid IN (SELECT unnest($places::BIGINT[])))
  AND ($domain IS NULL OR domain = $domain)
  AND ($tag IS NULL OR list_contains(tags, $tag))
  AND ($source IS NULL OR source = $source)
  AND ($verifier IS NULL OR verifier = $verifier)
  AND ($text IS NULL OR contains(lower(prompt), lower($text)))
  AND id IN (
      SELECT problem_id FROM difficulty
      WHERE ($model IS NULL OR model_id = $model)
        AND pass_at_1 BETWEEN coalesce($min_rate, 0) AND coalesce($max_rate, 1)
  )
LIMIT $limit
