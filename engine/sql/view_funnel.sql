FROM funnel
