"""What a panel of experts came to: votes, agreement, rankings, risk."""
