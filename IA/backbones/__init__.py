"""The families of networks: each builds a module, its preprocessing, and what else its weights know."""
