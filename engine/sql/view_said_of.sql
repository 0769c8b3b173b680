-- What steps and people said of a record: why it was dropped, where it was imported from, how it was curated.
SELECT 'dropped by ' || step AS what, reason, '' AS who, '' AS "at" FROM dropped WHERE record_id = $id AND step <> 'curate'
UNION ALL
SELECT 'imported from ' || source || ', row ' || "row", 'licence: ' || coalesce(nullif(licence, ''), 'not stated'), '', ''
FROM origins WHERE record_id = $id
UNION ALL
SELECT trim(action || ' ' || "value"), reason, actor, "at" FROM labels WHERE record_id = $id
ORDER BY "at", what
