-- How many records each step left, and why others were dropped.
SELECT step, records FROM funnel
