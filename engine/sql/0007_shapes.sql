-- How traces are built: steps, equations and lengths of what is learned of them; engine/making/shape.py defines them.
CREATE TABLE shapes (
    trace_id VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    num_steps INTEGER NOT NULL,
    num_numbered INTEGER NOT NULL,
    num_checks INTEGER NOT NULL,
    num_restarts INTEGER NOT NULL,
    num_words INTEGER NOT NULL,
    num_chars INTEGER NOT NULL,
    reasoning_share DOUBLE NOT NULL,
    num_equations INTEGER NOT NULL,
    num_holding INTEGER NOT NULL,
    num_failed INTEGER NOT NULL
);

-- The style in which a sampler asks (engine/sample.py); empty for the domain's own words.
CREATE MACRO style_of(sampler) AS regexp_extract(sampler, '^([a-z][a-z0-9_]*)-[0-9a-f]{12}(-until-[0-9]+)?$', 1);

-- Traces with their newest shape. num_tokens is the teacher's own count, null where it is not known; share_holding is
-- of the equations that could be decided, null where there are none; left_out is the step that dropped it, if any did.
CREATE VIEW shaped_traces AS
WITH newest AS (
    FROM shapes QUALIFY row_number() OVER (PARTITION BY trace_id ORDER BY version DESC) = 1
), first_drop AS (
    SELECT record_id, min(step) AS step FROM dropped GROUP BY record_id
)
SELECT traces.id AS trace_id, traces.kind, traces.domain, traces.teacher, style_of(coalesce(attempts.sampler, '')) AS style,
       traces.problem_id, traces.attempt_id, newest.* EXCLUDE (trace_id),
       CASE WHEN attempts.tokens_out > 0 THEN attempts.tokens_out END AS num_tokens,
       num_holding / nullif(num_holding + num_failed, 0) AS share_holding,
       first_drop.step AS left_out
FROM traces
JOIN newest ON newest.trace_id = traces.id
LEFT JOIN attempts ON attempts.id = traces.attempt_id
LEFT JOIN first_drop ON first_drop.record_id = traces.id;

-- A row for every domain, kind, style and teacher: quantiles of length and steps, and the share of equations that hold.
CREATE VIEW trace_shapes AS
SELECT domain, kind, style, teacher, count(*) AS traces, count(*) - count(left_out) AS kept,
       quantile_disc(num_steps, 0.1) AS steps_10, median(num_steps) AS steps_50, quantile_disc(num_steps, 0.9) AS steps_90,
       quantile_disc(num_words, 0.1) AS words_10, median(num_words) AS words_50, quantile_disc(num_words, 0.9) AS words_90,
       median(num_tokens) AS tokens_50, avg(reasoning_share) AS reasoning_share,
       avg((num_numbered > 0)::INTEGER) AS numbered, avg((num_checks > 0)::INTEGER) AS checked,
       sum(num_equations)::BIGINT AS equations,
       sum(num_holding) / nullif(sum(num_holding) + sum(num_failed), 0) AS share_holding,
       avg((num_failed > 0)::INTEGER) AS with_failed
FROM shaped_traces
GROUP BY ALL;
