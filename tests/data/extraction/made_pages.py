"""Pages that were made up for the tests: a story, and what stands around stories."""

STORY = (
    "The council of Larkmoor opened the new bridge over the Tarn on Monday morning.",
    "More than four hundred people came to see it, among them children of two schools.",
    "“We have waited for this for thirty years,” said Ida Penhale, who lives by the river.",
    "The bridge cost six million pounds and was paid for by the county and the town together.",
    "Buses will cross it from Wednesday on, and lorries are to be kept off it at night.",
)
TEASERS = tuple(
    f"<div><h3><a href='/news/{name}-story-of-the-day'>{headline}</a></h3><p>{text}</p></div>"
    for name, headline, text in (
        ("ferry", "The ferry to Skerrin stops for good", "Its engine broke twice in a week."),
        ("mill", "The mill on the hill finds a buyer", "A baker from Orrick wants to use it."),
        ("clock", "The clock of Dunmere is right again", "Two sisters repaired it by hand."),
        ("tax", "The tax on herring rises once more", "Fishermen want to talk to the county."),
        ("bell", "A bell is found in Quillhaven", "It lay under the sand of the old harbour."),
    )
)


def paragraphs(*texts: str) -> str:
    """Return the texts as paragraphs of HTML; by default the made-up story."""
    return "\n".join(f"<p>{text}</p>" for text in texts or STORY)


def page(body: str | None = None, *, title: str = "The bridge is open", head: str = "") -> str:
    """Return a page with a headline, as simple as pages are."""
    inner = f"<article><h1>{title}</h1>{paragraphs()}</article>" if body is None else body
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title}</title>{head}</head>"
        f"<body>{inner}</body></html>"
    )


def json_ld(text: str) -> str:
    """Return a block of JSON-LD."""
    return f'<script type="application/ld+json">{text}</script>'
