"""What moves events along: wakes, routing, draining, the clock. The only package that knows RQ."""
