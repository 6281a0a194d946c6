"""Statistics: intervals and certificates from the audit sample, and scores of suspected label errors.

Everything here is a pure function or a frozen record; nothing reads files or imports torch.
"""
