-- How students read traces; see engine/compatibility. A definition names template and window: only equal ones compare.
CREATE TABLE fits (
    trace_id VARCHAR,
    model_id VARCHAR,
    definition VARCHAR,
    scorer VARCHAR NOT NULL,
    num_tokens INTEGER NOT NULL,
    num_steps INTEGER NOT NULL,
    nll DOUBLE NOT NULL,
    "rank" DOUBLE NOT NULL,
    local_nll DOUBLE NOT NULL,
    PRIMARY KEY (trace_id, model_id, definition)
);
