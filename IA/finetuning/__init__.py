"""Fine-tuning: a process of its own trains the backbone on the answers, and keeps it only if it is better."""
