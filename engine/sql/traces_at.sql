SELECT * FROM traces WHERE rowid IN (SELECT unnest($places::BIGINT[]))
