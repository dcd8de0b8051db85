"""Slack's limits on messages and blocks, in characters or entries, each with the page that says so.

What Slack calls a character is nowhere said: everything is measured in UTF-16
units, of which an emoji takes two, so that either reading is kept.
"""

from __future__ import annotations

LONGEST_TEXT = 40_000
"""Of a message without blocks; Slack itself cuts what is longer.

https://docs.slack.dev/changelog/2018-truncating-really-long-messages
"""

FALLBACK = 4_000
"""What Slack recommends for a text; of one beside blocks only notifications show a part.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

UPDATED_TEXT = 4_000
"""`msg_too_long` of https://docs.slack.dev/reference/methods/chat.update."""

BLOCKS = 50
"""https://docs.slack.dev/reference/block-kit/blocks"""

WHOLE = 10_000
"""Of all blocks as JSON, in bytes: Slack answers `msg_blocks_too_long` from a size on that it
does not publish and that users met between 11,300 and 13,300
(https://github.com/slackapi/bolt-js/issues/2509, https://github.com/slackapi/bolt-js/issues/2867).
"""

HEADER = 150
"""https://docs.slack.dev/reference/block-kit/blocks/header-block"""

SECTION = 3_000
"""https://docs.slack.dev/reference/block-kit/blocks/section-block"""

FIELD = 2_000
"""https://docs.slack.dev/reference/block-kit/blocks/section-block"""

FIELDS = 10
"""https://docs.slack.dev/reference/block-kit/blocks/section-block"""

CONTEXT_ELEMENTS = 10
"""https://docs.slack.dev/reference/block-kit/blocks/context-block"""

TEXT_OBJECT = 3_000
"""https://docs.slack.dev/reference/block-kit/composition-objects/text-object"""

ACTIONS = 25
"""https://docs.slack.dev/reference/block-kit/blocks/actions-block"""

BUTTON_TEXT = 75
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

BUTTON_VALUE = 2_000
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

URL = 3_000
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element, and of images
https://docs.slack.dev/reference/block-kit/blocks/image-block.
"""

ALT_TEXT = 2_000
"""https://docs.slack.dev/reference/block-kit/blocks/image-block"""

IMAGE_TITLE = 2_000
"""https://docs.slack.dev/reference/block-kit/blocks/image-block"""

NAME = 255
"""Of a `block_id` or an `action_id`: https://docs.slack.dev/reference/block-kit/blocks."""
