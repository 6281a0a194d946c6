"""One run that is being worked on, in parts: what routes ask, and what follows the files of the loops; no HTTP."""
