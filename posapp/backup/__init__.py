"""Backups of the database that are proven by restoring them.

model       one backup, its name, its manifest, and how long it stays: pure
storage     where backups lie: a folder and an S3 bucket, which answer alike
postgres    the client and its programs, snapshots, dumps, the cut-over
create, restore, point_in_time, drill, schedule    the acts
"""
