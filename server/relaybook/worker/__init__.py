"""`relaybook work`: an agent command run for each task that the ledger offers."""
