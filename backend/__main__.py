"""`python -m backend`: serve one run."""

if __name__ == "__main__":  # preview workers import this file again and must not serve
    from backend.server import serve
    from IA.process.loop import one_sentence

    one_sentence(serve)
