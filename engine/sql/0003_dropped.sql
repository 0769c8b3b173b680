-- A cleaning step writes its drops as `<step>/<run>`, and an empty record id to say that the run was made: the newest
-- run of a step replaces the earlier ones, so an empty run restores everything. Drops without a run stand.
CREATE VIEW dropped AS
WITH numbered AS (
    SELECT record_id, regexp_replace(step, '/[0-9]+$', '') AS step, reason,
           coalesce(try_cast(regexp_extract(step, '/([0-9]+)$', 1) AS INTEGER), 0) AS run
    FROM drops
), newest AS (
    SELECT * FROM numbered QUALIFY run = max(run) OVER (PARTITION BY step)
)
SELECT record_id, step, reason, run FROM newest WHERE record_id <> '';

-- What stands before the colon of a reason is its kind.
CREATE OR REPLACE VIEW funnel AS
SELECT 'problems' AS step, count(*) AS records FROM problems
UNION ALL SELECT 'attempts', count(*) FROM attempts
UNION ALL SELECT 'verdict: ' || outcome, count(*) FROM judged GROUP BY outcome
UNION ALL SELECT 'trace: ' || kind, count(*) FROM traces GROUP BY kind
UNION ALL SELECT 'dropped: ' || step || ': ' || split_part(reason, ':', 1), count(*) FROM dropped GROUP BY ALL;
