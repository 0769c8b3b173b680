SELECT * FROM attempts WHERE rowid IN (SELECT unnest($places::BIGINT[]))
