SELECT rowid AS place, *
FROM problems
WHERE rowid > $place
  AND ($domain IS NULL OR domain = $domain)
  AND ($tag IS NULL OR list_contains(tags, $tag))
  AND ($source IS NULL OR source = $source)
  AND ($verifier IS NULL OR verifier = $verifier)
  AND ($text IS NULL OR contains(lower(prompt), lower($text)))
LIMIT $limit
