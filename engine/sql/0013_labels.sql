-- What people said of problems and traces. Only ever added to; the newest of each kind counts.
CREATE TABLE labels (
    id VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    "value" VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    "at" VARCHAR NOT NULL
);

-- The state of every record that something was said of, up to a moment. actor and reason are of the newest exclusion or
-- restoration, and of the newest weight.
CREATE MACRO curated_until(moment) AS TABLE
WITH newest AS (
    SELECT record_id, kind,
           CASE WHEN action = 'weight' THEN 'weight'
                WHEN action = 'exclude' OR "value" = '' THEN 'exclusion'
                ELSE 'label ' || "value" END AS about,
           arg_max({'action': action, 'value': "value", 'actor': actor, 'reason': reason, 'at': "at"}, "at" || id) AS said
    FROM labels
    WHERE "at" <= moment
    GROUP BY ALL
)
SELECT record_id, kind,
       bool_or(said.action = 'exclude') AS excluded,
       coalesce(max(try_cast(said.value AS DOUBLE)) FILTER (about = 'weight'), 1.0) AS weight,
       coalesce(list(said.value ORDER BY said.value) FILTER (said.action = 'label'), []) AS labels,
       any_value(said.actor) FILTER (about = 'exclusion') AS excluded_by,
       any_value(said.reason) FILTER (about = 'exclusion') AS excluded_why,
       any_value(said.actor) FILTER (about = 'weight') AS weighed_by,
       any_value(said.reason) FILTER (about = 'weight') AS weighed_why,
       max(said.at) AS "at"
FROM newest
GROUP BY record_id, kind;
CREATE VIEW curated AS FROM curated_until('~');

-- As before, and what is excluded now: whatever leaves out what a step dropped leaves that out too.
CREATE OR REPLACE VIEW dropped AS
WITH numbered AS (
    SELECT record_id, regexp_replace(step, '/[0-9]+$', '') AS step, reason,
           coalesce(try_cast(regexp_extract(step, '/([0-9]+)$', 1) AS INTEGER), 0) AS run
    FROM drops
), newest AS (
    SELECT * FROM numbered QUALIFY run = max(run) OVER (PARTITION BY step)
)
SELECT record_id, step, reason, run FROM newest WHERE record_id <> ''
UNION ALL
SELECT record_id, 'curate', 'excluded: ' || excluded_why || ' (' || excluded_by || ')', 0 FROM curated WHERE excluded;
