-- By pass@1, rising where $sign is 1 and falling where it is -1. Places first: the other columns of a page alone are read.
WITH page AS (
    SELECT rowid AS place, $sign * pass_at_1 AS "rank"
    FROM measured
    WHERE ($sign * pass_at_1, rowid) > ($rank, $place)
      AND ($domain IS NULL OR domain = $domain)
      AND ($model IS NULL OR model_id = $model)
      AND ($policy IS NULL OR policy_version = $policy)
      AND ($sampler IS NULL OR sampler = $sampler)
      AND ($min_attempts IS NULL OR num_attempts >= $min_attempts)
      AND ($min_rate IS NULL OR pass_at_1 >= $min_rate)
      AND ($max_rate IS NULL OR pass_at_1 <= $max_rate)
    ORDER BY "rank", place
    LIMIT $limit
)
SELECT page."rank", page.place, measured.* EXCLUDE ("key")
FROM page
JOIN measured ON measured.rowid = page.place
ORDER BY page."rank", page.place
