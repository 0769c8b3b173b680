SELECT rowid AS place, *
FROM verdicts
WHERE rowid > $place
  AND ($places IS NULL OR rowid IN (SELECT unnest($places::BIGINT[])))
  AND ($verifier IS NULL OR verifier = $verifier)
  AND ($version IS NULL OR version = $version)
  AND ($outcome IS NULL OR outcome = $outcome)
  AND ($text IS NULL OR contains(lower(reason), lower($text)))
ORDER BY rowid
LIMIT $limit
