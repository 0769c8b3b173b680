-- A run's pass rates while it was trained, by the steps that its weights had taken.
SELECT policy_version, domain, count(*) AS problems, sum(num_attempts) AS attempts, avg(pass_at_1) AS pass_at_1
FROM difficulty
WHERE model_id = $run AND policy_version <> ''
GROUP BY policy_version, domain
ORDER BY try_cast(split_part(policy_version, '-', 2) AS INTEGER), policy_version, domain
