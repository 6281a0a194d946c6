"""A machine in trouble: system calls that fail, disks that fill up, and what a server has said of answers then."""
