"""The verbs that work on a task or stage, from the claim to its end."""
