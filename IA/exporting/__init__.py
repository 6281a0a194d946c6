"""A predictor for other programs: its graph with preprocessing, and its model card with the evidence behind it."""
