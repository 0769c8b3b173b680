-- The traces that meet every condition that is not null.
SELECT traces.id
FROM traces
LEFT JOIN problems ON problems.id = traces.problem_id
WHERE ($domain IS NULL OR traces.domain = $domain)
  AND ($source IS NULL OR problems.source = $source
       OR traces.id IN (SELECT record_id FROM origins WHERE source = $source))
  AND ($tag IS NULL OR list_contains(problems.tags, $tag))
  AND ($text IS NULL OR contains(lower(traces.messages), lower($text)))
  AND ($trace_kind IS NULL OR traces.kind = $trace_kind)
  AND ($teacher IS NULL OR traces.teacher = $teacher)
  AND ($label IS NULL OR traces.id IN (SELECT record_id FROM curated WHERE list_contains(labels, $label)))
  AND (coalesce($model, $min_rate::VARCHAR, $max_rate::VARCHAR) IS NULL OR traces.problem_id IN (
      SELECT problem_id FROM difficulty
      WHERE ($model IS NULL OR model_id = $model)
        AND pass_at_1 BETWEEN coalesce($min_rate, 0) AND coalesce($max_rate, 1)
  ))
ORDER BY traces.id
