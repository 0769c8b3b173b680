-- The same by stage of a manifest: of the problems that the files $paths[i] of stage $stages[i] name.
WITH files AS (
    SELECT unnest($paths::VARCHAR[]) AS path, unnest($stages::VARCHAR[]) AS stage
), members AS (
    SELECT DISTINCT files.stage, problem_id
    FROM read_parquet($paths, union_by_name = true, filename = true)
    JOIN files ON files.path = filename
)
SELECT members.stage, domain, model_id AS model, count(*) AS n, sum(num_attempts)::BIGINT AS attempts,
       avg(pass_at_1) AS rate, wilson_low(sum(pass_at_1), count(*)) AS low, wilson_high(sum(pass_at_1), count(*)) AS high
FROM difficulty
JOIN members USING (problem_id)
WHERE policy_version = ''
GROUP BY members.stage, domain, model_id
ORDER BY members.stage, domain, model
