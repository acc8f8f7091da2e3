"""`posapp kuma`: Uptime Kuma as code.

    declared    deploy/kuma/monitors.toml as types
    planning    what differs between it and a Kuma: a pure function of both
    remote      a Kuma over its socket (uptime-kuma-api2), read and changed
    comparing   what differs now, for people
    addresses   the file of variables from which watcher and backups read their push addresses
    cli         the commands

Whatever is ours carries a mark in Kuma itself: a tag on a monitor, a key in a notification, a
comment in a status page, the end of a maintenance's description. What has none is never touched.
"""
