"""A predictor for other programs: its graph, its preprocessing and its model card."""
