"""What may happen to a task: cases, commands, events, and the machine that judges them."""
