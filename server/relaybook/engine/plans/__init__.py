"""The verbs that make a plan, change it or keep it, and what a plan has to pass."""
