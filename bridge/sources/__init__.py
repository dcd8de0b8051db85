"""The sources that ship with the bridge; each is also an example for another one."""
