from hypothesis import strategies as st

from data.models import normalise

_PIECES = (
    *("The mayor spoke.", "Dr. Smith paid $3.5 million", "It rained", "ferry", "No", "U.S."),
    *(" ", "  ", "\n", "\r\n", "\n\n", "\n \n", "\u2028", "\u00a0", "\t"),
    *(".", "!", "?", "…", "。", "؟", ",", '"', "“", "”", "«", "»", "‘", "’", "'", "(", ")"),
    *("市长昨天说", "新桥", "قال العمدة", "كَتَبَ", "हिन्दी", "e\u0301", "a\u0308\u0323", "한국"),
    *("👩‍👩‍👧", "😀", "🇫🇷", "e\u200d", "\u0301", "\u200b", "x" * 40, "字" * 60, "speech " * 12),
)

# What a story may hold: anything but half a surrogate pair and NUL, which importing refuses.
_ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_PROSE = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)

texts = st.one_of(_PROSE, _ANYTHING).map(normalise)
"""Texts in normal form C, the empty one and white space among them."""

stories = texts.filter(lambda text: bool(text.strip()))
"""Texts that can be stored as a story."""
