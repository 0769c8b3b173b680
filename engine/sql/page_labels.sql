SELECT rowid AS place, *
FROM labels
WHERE rowid > $place
  AND ($record_id IS NULL OR record_id = $record_id)
  AND ($kind IS NULL OR kind = $kind)
  AND ($action IS NULL OR action = $action)
  AND ($actor IS NULL OR actor = $actor)
LIMIT $limit
