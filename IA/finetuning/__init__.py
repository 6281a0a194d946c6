"""The backbone learns from the answers too, in a process of its own, and is kept only where it is better."""
