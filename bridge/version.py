"""The version that is being made, or that was released."""

VERSION = "0.2.0.dev0"
