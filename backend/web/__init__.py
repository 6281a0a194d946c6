"""HTTP: who may ask, bodies, refusals, connections."""
