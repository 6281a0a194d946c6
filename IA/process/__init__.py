"""What every process of the suite shares: its log, lock, signals, streams and priority.

This room imports the protocol and the settings, and neither torch nor FastAPI.
"""
