-- What the newest run of each cleaning step looked at and dropped, by kind of reason; a run that dropped nothing says so.
WITH counted AS (
    SELECT step, split_part(reason, ':', 1) AS reason, count(*) AS records
    FROM dropped
    GROUP BY ALL
)
SELECT coalesce(runs.step, counted.step) AS step, runs.looked_at, coalesce(counted.reason, 'nothing found') AS reason,
       coalesce(counted.records, 0) AS records
FROM cleaning_runs AS runs
FULL JOIN counted ON counted.step = runs.step
WHERE coalesce(runs.step, counted.step) ^@ $prefix
ORDER BY ALL
