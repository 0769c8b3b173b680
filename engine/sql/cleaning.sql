-- What the newest run of each cleaning step dropped, by kind of reason.
SELECT step, split_part(reason, ':', 1) AS reason, count(*) AS records
FROM dropped
WHERE step ^@ $prefix
GROUP BY ALL
ORDER BY ALL
