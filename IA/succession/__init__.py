"""Which backbone ranks, and which one comes behind it: fine-tuned, or the second one of `--network A,B`."""
