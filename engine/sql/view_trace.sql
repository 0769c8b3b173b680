-- One trace with how its correction was taken apart, if it is one; corrected is the whole answer that it comes to.
SELECT traces.*, revised.step, revised.why, revised.kept,
       CASE WHEN revised."text" IS NULL THEN fixed.answer ELSE "left"(failed.answer, revised.kept) || revised."text" END
           AS corrected,
       (SELECT any_value(kinds) FROM failure_kinds WHERE failure_kinds.attempt_id = traces.failed_attempt_id) AS kinds
FROM traces
LEFT JOIN attempts AS fixed ON fixed.id = traces.attempt_id
LEFT JOIN attempts AS failed ON failed.id = traces.failed_attempt_id
LEFT JOIN revised ON revised.attempt_id = traces.attempt_id
WHERE traces.id = $id
