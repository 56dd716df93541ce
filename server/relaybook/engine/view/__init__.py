"""Where a workflow stands: what it shows, what it waits for, which call comes next."""
