"""The JSON Schema of rules files, for editors: made of the declarations that rules are read by.

It uses only keywords that mean the same in draft 7, since editors know newer
drafts in part: https://github.com/redhat-developer/yaml-language-server/issues/856
"""

from bridge.rules.editor.files import schema

__all__ = ["schema"]
