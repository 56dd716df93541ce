"""What a worker hands in, what is recorded beside it, and the gates that judge both."""
