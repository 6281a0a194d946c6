"""What every process of the suite shares: its log, lock, streams, priority and event file; imports config alone."""
