"""`python -m relaybook`."""

from relaybook.cli import main

main()
