"""The annotation server and the supervisor: no torch in here."""
