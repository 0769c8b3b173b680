-- As page_problems, of those that a model was measured on, in a band of pass@1.
SELECT rowid AS place, *
FROM problems
WHERE rowid > $place
  AND ($domain IS NULL OR domain = $domain)
  AND ($tag IS NULL OR list_contains(tags, $tag))
  AND ($source IS NULL OR source = $source)
  AND ($verifier IS NULL OR verifier = $verifier)
  AND ($text IS NULL OR contains(lower(prompt), lower($text)))
  AND id IN (
      SELECT problem_id FROM difficulty
      WHERE ($model IS NULL OR model_id = $model)
        AND ($min_rate IS NULL OR pass_at_1 >= $min_rate)
        AND ($max_rate IS NULL OR pass_at_1 <= $max_rate)
  )
ORDER BY place
LIMIT $limit
