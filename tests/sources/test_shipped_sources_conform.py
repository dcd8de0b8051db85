from collections.abc import Mapping
from typing import Any, ClassVar

from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass
from bridge.testing.sources import SourceConformance


class TestShowpass(SourceConformance):
    source_class = Showpass
    settings: ClassVar[Mapping[str, Any]] = {"organization": "5150"}
    admission_credentials = ("barcode_string",)


class TestShowpad(SourceConformance):
    source_class = Showpad
