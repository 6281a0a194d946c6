"""The processes that the supervisor starts and ends."""
