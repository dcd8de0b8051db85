"""What authors of sources and connectors test their work with; needs the extra `testing`."""
