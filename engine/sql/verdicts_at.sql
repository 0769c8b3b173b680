SELECT attempt_id, verifier, version, outcome, score, reason, seconds
FROM verdicts
WHERE rowid IN (SELECT unnest($places::BIGINT[]))
