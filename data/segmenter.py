import logging

from sentencex import get_sentence_boundaries

log = logging.getLogger(__name__)

# sentencex 1.0.32 looks for an initial in front of a full stop byte by byte, and panics where a
# blank of more than one byte stands there ("O", a no-break space, "."). To it all are spaces.
_BLANKS = str.maketrans(
    dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " ")
)


def sentence_ranges(text: str, language: str = "en") -> list[tuple[int, int]]:
    """Return where the sentences of a text stand: `[start, end)` in code points, in order.

    They may leave out white space between them. A text that the segmenter fails at is one sentence.
    """
    try:
        found = get_sentence_boundaries(language, text.translate(_BLANKS))
    except BaseException as error:
        # A panic of the Rust code underneath is no Exception, and would end a thread in silence.
        if type(error).__name__ == "PanicException":
            log.warning("the sentence segmenter failed; its text is kept as one sentence")
            return [(0, len(text))]
        raise
    return [(part["start_index"], part["end_index"]) for part in found]
