-- How many characters the traces of each kind, domain and teacher have.
SELECT kind, domain, teacher, count(*) AS traces, quantile_cont(length(messages), [0.05, 0.5, 0.95]) AS characters
FROM traces
GROUP BY ALL
ORDER BY ALL
