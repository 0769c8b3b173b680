-- What was dropped, by step and kind of reason, with an example.
SELECT step, split_part(reason, ':', 1) AS why, count(*) AS records, any_value(record_id) AS example
FROM dropped
GROUP BY ALL
ORDER BY step, records DESC
