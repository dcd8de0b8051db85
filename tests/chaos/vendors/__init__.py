"""HubSpot, Slack and Mailchimp on this machine, with their limits, refusals and bad days.

A separate process, so that it outlives every part that is killed, and records
what really happened: `python -m tests.chaos.vendors --seed 1` prints one line
of JSON with its port.
"""
