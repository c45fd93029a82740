"""The gate between the machine's network and a cloud's annex: a process with sockets in both.

What listens inside can be opened from the machine at the same address and port; what guests send to the
outside world leaves from the machine. It decides nothing: the walls around guests are inside.
"""
