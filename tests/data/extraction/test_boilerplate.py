import pytest

from data.extraction.boilerplate import named_as_boilerplate, reads_as_boilerplate
from data.extraction.html_tree import Line, parse_html
from tests.data.extraction.made_pages import STORY


def _line(text: str) -> Line:
    tree = parse_html("<p>x</p>")
    return Line(text, 0, 0.0, tree)


@pytest.mark.parametrize(
    "text",
    [
        *("Read more: The ferry to Skerrin stops for good", "READ NEXT", "See also: The mill"),
        *("Related: A bell is found", "You may also like", "More from Larkmoor", "Most read"),
        *("Sign up for our free newsletter to get the news in your inbox.", "Advertisement"),
        *("Follow us on Twitter", "Share Tweet Email Print", "Comments (12)", "Show all comments"),
        *("(Reporting by Ann Lee in Larkmoor; editing by Bo Roe)", "Additional reporting by Cy"),
        *("Ann Lee contributed to this report.", "Contact Ann Lee at ann@herald.example."),
        *("© 2024 Larkmoor Herald", "Copyright 2024 Herald. All rights reserved.", "Photo: Roe"),
        *(
            "Updated: 6 May 2024",
            "Story continues below advertisement",
            "Loading...",
            "Tags: bridge",
        ),
        *("If you buy something, we may earn a commission.", "CLICK HERE TO GET THE HERALD APP"),
        *(
            "Lesen Sie auch: Die Fähre",
            "Das könnte Sie auch interessieren",
            "Quelle: dpa",
            "Anzeige",
        ),
        *("À lire aussi : Le pont", "Abonnez-vous à notre newsletter", "Publicité", "Suivez-nous"),
        *("Lea también: El puente", "Te puede interesar", "Fuente: EFE", "Síguenos en Facebook"),
        *("Leia também: A ponte", "Leggi anche: Il ponte", "Lees ook: De brug", "Läs också: Bron"),
        *("Читайте также: Мост", "Реклама"),
    ],
)
def test_words_around_a_story_are_told(text: str) -> None:
    assert reads_as_boilerplate(_line(text))


@pytest.mark.parametrize(
    "text",
    [
        *STORY,
        "Also on Monday, the council voted for a second bridge.",
        "Also read out was a letter of the king.",
        "Published on Tuesday, the report names twelve firms.",
        "Most popular among the voters was the plan for a tram.",
        "Copyright law protects the pictures for seventy years.",
        "Writing by hand helps the memory, a study found.",
        "He wrote in his newsletter to subscribers that the bank had failed.",
        "More than a million people follow her on Instagram.",
        "An error occurred in the count of the votes, officials said.",
        "The boxes are delivered to your door, the firm says.",
        "“We’d like to hear from the minister,” she said.",
        "Contact with the ship was lost at noon.",
        "Share prices fell by a third on Monday.",
        "Subscribers left the paper in droves.",
        "Comments by the judge made the lawyers laugh.",
        "Sigue a la baja el peso, dijo el banco.",
        "The photos may not be published before the trial.",
        "Follow the money, the detective told them.",
        "Click chemistry won the prize.",
        "More: a man for all seasons, and a saint as well.",
    ],
)
def test_a_sentence_that_a_reporter_may_write_is_none_of_them(text: str) -> None:
    assert not reads_as_boilerplate(_line(text))


def test_a_long_paragraph_is_never_taken_for_boilerplate() -> None:
    assert not reads_as_boilerplate(_line("Read more: " + " ".join(STORY * 2)))


@pytest.mark.parametrize(
    "html",
    [
        *("<aside>x</aside>", "<header>x</header>", "<div class='newsletter-box'>x</div>"),
        *("<div id='relatedStories'>x</div>", "<p class='story readMore'>x</p>"),
        *("<div class='SignUp_form'>x</div>", "<span class='sr-only'>x</span>"),
        *("<div class='most-read'>x</div>", "<figure><img><p>x</p></figure>"),
    ],
)
def test_elements_are_told_by_kind_and_name(html: str) -> None:
    assert named_as_boilerplate(parse_html(html).find(".//body")[0])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "html",
    [
        *("<p>x</p>", "<div class='article-body'>x</div>", "<div class='overflow-hidden'>x</div>"),
        *("<div class='shared-layout'>x</div>", "<section id='navigator-story'>x</section>"),
        *("<p class='paywall'>x</p>", "<h3 class='subtitle'>x</h3>", "<p class='teaser'>x</p>"),
        "<figure class='wp-block-table'><table><tr><td>x</td></tr></table></figure>",
    ],
)
def test_names_that_stories_have_as_well_are_not_held_against_them(html: str) -> None:
    assert not named_as_boilerplate(parse_html(html).find(".//body")[0])  # type: ignore[union-attr]
