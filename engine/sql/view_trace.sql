-- How a trace's attempt was taken apart, if it corrects another, and what kind of mistake that other one made.
SELECT step, why, kept, "text",
       (SELECT any_value(kinds) FROM failure_kinds WHERE attempt_id = $failed) AS kinds
FROM revised
WHERE attempt_id = $attempt
