"""Near duplicates: finds the images that make up one question, and lets each group count once in learning."""
