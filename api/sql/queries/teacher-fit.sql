-- How a student reads the traces of each teacher: surprise (nll), rank, and what remains when the context is known.
-- $student text = null: as this model reads them
SELECT fits.model_id AS student, traces.teacher, traces.domain, traces.kind, count(*) AS traces,
       avg(fits.nll) AS nll, avg(fits."rank") AS "rank", avg(fits.local_nll) AS local_nll
FROM fits
JOIN traces ON traces.id = fits.trace_id
WHERE $student IS NULL OR fits.model_id = $student
GROUP BY ALL
ORDER BY ALL
