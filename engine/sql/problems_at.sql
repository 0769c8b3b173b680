SELECT * FROM problems WHERE rowid IN (SELECT unnest($places::BIGINT[]))
