"""`posapp doctor`: every fault that can be seen from here, with what to do about it.

    findings    what a fault is, and the advice for each kind (pure)
    checks      what the doctor looks at beyond healthkit.toml
    kuma        Uptime Kuma: there, and as declared
    watching    the watcher's store, read without a trace
    cli         the command

All that is looked at is a healthkit check, so that each has its limit, none waits for another, and
what is said is masked.
"""
