SELECT rowid AS place, *
FROM traces
WHERE rowid > $place
  AND ($places IS NULL OR rowid IN (SELECT unnest($places::BIGINT[])))
  AND ($kind IS NULL OR kind = $kind)
  AND ($domain IS NULL OR domain = $domain)
  AND ($teacher IS NULL OR teacher = $teacher)
  AND ($text IS NULL OR contains(lower(messages), lower($text)))
ORDER BY rowid
LIMIT $limit
