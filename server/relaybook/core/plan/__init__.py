"""What a plan may be: its tasks as they are read, what speaks against it, which pattern to take."""
