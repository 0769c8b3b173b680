SELECT *
FROM problems
WHERE id > $after
  AND ($domain IS NULL OR domain = $domain)
  AND ($tag IS NULL OR list_contains(tags, $tag))
ORDER BY id
LIMIT $limit
