-- What teachers answered when they were asked to write or solve these drafts.
SELECT problem_id, model_id, sampler, "index", answer, finish_reason
FROM attempts
WHERE problem_id IN (SELECT unnest($ids)) AND sampler ^@ 'vary-'
ORDER BY id
