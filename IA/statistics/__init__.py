"""Figures that hold: intervals, certificates, suspected label errors; pure functions, no files, no torch."""
