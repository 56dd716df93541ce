"""The ledger over HTTP: who may call, and the MCP server that each caller gets."""
