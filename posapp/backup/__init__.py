"""Backups of the database that are proven by restoring them.

names, retention, manifest    its name, how long it stays, what stands beside it: pure
catalogue, bucket             where backups lie: a folder, an S3 bucket; both answer alike
postgres, snapshot, stream    the database's programs, a moment of it, and the way of its bytes
make, restore, swap, drill    what is done with them
schedule, archive             every night; and every second
"""
