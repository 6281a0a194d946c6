"""The routes of the API, one file and router an area; a route asks parts of the session and answers in JSON."""
