-- Traces that have no shape of version $version.
SELECT traces.id, traces.domain, traces.messages, traces.learn
FROM traces
WHERE NOT EXISTS (FROM shapes WHERE shapes.trace_id = traces.id AND shapes.version = $version)
