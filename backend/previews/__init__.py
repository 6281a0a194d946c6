"""The pictures that the page shows, rendered ahead and kept."""
