-- The records, as they come out of the parts. Lists and objects that SQL need not look into are JSON text.
CREATE TABLE problems (
    id VARCHAR PRIMARY KEY,
    prompt VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    verifier VARCHAR NOT NULL,
    spec VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    parents VARCHAR[] NOT NULL,
    tags VARCHAR[] NOT NULL
);
CREATE TABLE attempts (
    id VARCHAR PRIMARY KEY,
    problem_id VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    sampler VARCHAR NOT NULL,
    "index" INTEGER NOT NULL,
    seed BIGINT NOT NULL,
    sampling VARCHAR NOT NULL,
    messages VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    token_ids INTEGER[] NOT NULL,
    token_logprobs FLOAT[] NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    seconds DOUBLE NOT NULL,
    finish_reason VARCHAR NOT NULL,
    failed_attempt_id VARCHAR
);
CREATE TABLE verdicts (
    attempt_id VARCHAR,
    verifier VARCHAR,
    version VARCHAR,
    outcome VARCHAR NOT NULL,
    score DOUBLE NOT NULL,
    reason VARCHAR NOT NULL,
    seconds DOUBLE NOT NULL,
    PRIMARY KEY (attempt_id, verifier, version)
);
CREATE TABLE traces (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    messages VARCHAR NOT NULL,
    learn BOOLEAN[] NOT NULL,
    problem_id VARCHAR NOT NULL,
    attempt_id VARCHAR NOT NULL,
    failed_attempt_id VARCHAR,
    teacher VARCHAR NOT NULL
);
CREATE TABLE drops (
    record_id VARCHAR,
    step VARCHAR,
    reason VARCHAR NOT NULL,
    PRIMARY KEY (record_id, step)
);
-- Filled by difficulty.sql from attempts and verdicts.
CREATE TABLE difficulty (
    problem_id VARCHAR,
    domain VARCHAR,
    model_id VARCHAR,
    sampler VARCHAR,
    num_attempts INTEGER,
    num_passed INTEGER,
    num_unparseable INTEGER,
    pass_at_1 DOUBLE,
    pass_at_2 DOUBLE,
    pass_at_4 DOUBLE,
    pass_at_8 DOUBLE,
    wilson_low DOUBLE,
    wilson_high DOUBLE,
    PRIMARY KEY (problem_id, model_id, sampler)
);
-- Ends of Wilson's (1927) 95% interval for c passes of n; 1.9599… is the normal quantile of 0.975.
CREATE MACRO wilson(c, n, side) AS (
    (c / n + 1.9207294103470602 / n + side * 1.959963984540054 * sqrt(c / n * (1 - c / n) / n + 0.9603647051735301 / (n * n)))
    / (1 + 3.8414588206941205 / n)
);
CREATE MACRO wilson_low(c, n) AS greatest(0, wilson(c, n, -1));
CREATE MACRO wilson_high(c, n) AS least(1, wilson(c, n, 1));
