"""Images that bite, decoders with a fault, and somebody who looks on meanwhile."""
