"""What is learned from work that ended: lessons, and the figures and health of skills."""
