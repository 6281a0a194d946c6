"""From image files to pixels: whatever a file holds, it cannot end the process that asks; this room has no torch."""
