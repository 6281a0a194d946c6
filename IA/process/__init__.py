"""What every process of the suite shares: its log, lock, signals, streams and priority; no torch, no FastAPI."""
