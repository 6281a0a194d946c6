"""Words that a person says before any answer become a number for each image: words, known classes, the pool."""
