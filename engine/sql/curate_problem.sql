-- The problems that meet every condition that is not null.
SELECT id
FROM problems
WHERE ($domain IS NULL OR domain = $domain)
  AND ($source IS NULL OR source = $source)
  AND ($tag IS NULL OR list_contains(tags, $tag))
  AND ($text IS NULL OR contains(lower(prompt), lower($text)))
  AND ($trace_kind IS NULL OR id IN (SELECT problem_id FROM traces WHERE kind = $trace_kind))
  AND ($teacher IS NULL OR id IN (SELECT problem_id FROM traces WHERE teacher = $teacher))
  AND ($label IS NULL OR id IN (SELECT record_id FROM curated WHERE list_contains(labels, $label)))
  AND (coalesce($model, $min_rate::VARCHAR, $max_rate::VARCHAR) IS NULL OR id IN (
      SELECT problem_id FROM difficulty
      WHERE ($model IS NULL OR model_id = $model)
        AND pass_at_1 BETWEEN coalesce($min_rate, 0) AND coalesce($max_rate, 1)
  ))
ORDER BY id
