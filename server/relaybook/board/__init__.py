"""The board: one page without dependencies that shows the ledger, joined from small files."""
