"""HTTP: who may ask, what requests and answers look like, and how connections are served."""
