"""The conformance suite that every source passes, for authors of sources as for us.

    from bridge.testing.sources import SourceConformance

    class TestOurs(SourceConformance):
        source_class = Ours

pytest then runs every check on the samples that ship with the source. It needs
nothing but pytest, and no network.
"""

from __future__ import annotations

from bridge.testing.receiving import ReceivingChecks
from bridge.testing.understanding import UnderstandingChecks


class SourceConformance(ReceivingChecks, UnderstandingChecks):
    """Subclass it and name your source; the checks are inherited.

    `settings` are what the source needs in `config/bridge.yaml`.
    `admission_credentials` are names of members of a body whose values let
    somebody in: ticket barcodes, access codes.
    """
