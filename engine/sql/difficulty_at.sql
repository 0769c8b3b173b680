SELECT * FROM difficulty WHERE rowid IN (SELECT unnest($places::BIGINT[]))
