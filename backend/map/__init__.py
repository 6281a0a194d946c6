"""The map of the folder: what each point and each cluster of it shows; numpy only, no HTTP."""
