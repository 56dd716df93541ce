"""The prompt of a task: what goes into it, and how it is judged."""
