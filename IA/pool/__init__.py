"""All images of a run while they are embedded, scored and published."""
