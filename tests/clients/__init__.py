"""Real client libraries against the real command: what each sends is read back complete through every window."""
