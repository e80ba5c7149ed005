import pytest

from data.extraction.extract import extract
from data.extraction.page_checks import (
    CONSENT_WALL,
    ERROR_PAGE,
    FILLER_TEXT,
    HOME_PAGE,
    LIST_PAGE,
    LOGIN,
    NO_TEXT,
    PAYWALL,
    REGION_BLOCK,
    ROBOT_CHECK,
    SCRIPT_ONLY,
    TOO_LITTLE,
)
from data.pages import Extracted, Page
from tests.data.extraction.made_pages import STORY, TEASERS, json_ld, page, paragraphs

URL = "https://www.larkmoor-herald.example/news/bridge"
BEGINNING = f"<article><h1>The bridge is open</h1>{paragraphs(*STORY[:2])}"
LOGIN_FORM = "<form action='/l'><input name='u'><input type='password' name='p'></form>"
ARTICLE = '<meta property="og:type" content="article">'
NOT_FREE = json_ld(
    '{"@type": "NewsArticle", "headline": "The bridge is open", "isAccessibleForFree": %s,'
    ' "articleBody": "' + " ".join(STORY * 6) + '"}'
)


def _read(html: str, url: str | None = URL) -> Extracted:
    return extract(Page(body=html.encode(), url=url, media_type="text/html"))


@pytest.mark.parametrize(
    "html",
    [
        page(),
        page(head=ARTICLE),
        page(head=NOT_FREE % "true"),
        # What stands on most pages beside the story.
        page(f"<article><h1>T</h1>{paragraphs()}</article><aside>{LOGIN_FORM}</aside>"),
        page(
            "<header><a href='/s'>Already a subscriber? Log in</a><p>Subscribe to continue reading"
            f" offline.</p></header><article><h1>The bridge is open</h1>{paragraphs()}</article>"
        ),
        page(
            "<div id='cookie-banner'><p>We and our 614 partners use cookies. You can manage your"
            f" choices.</p><button>Accept all</button></div><article><h1>T</h1>{paragraphs()}"
            "</article>"
        ),
        page(f"<article><h1>T</h1>{paragraphs()}</article>{''.join(TEASERS)}", head=ARTICLE),
        page(f"<noscript>Please enable JavaScript.</noscript><div>{paragraphs()}</div>"),
        # Stories about such things.
        page(title="Page not found: how libraries lose books"),
        page(title="Peugeot 404 wins the rally of Larkmoor"),
        page(title="Missing hiker not found after three days"),
        page(title="Sorry, says the mayor, and opens the bridge"),
        page(title="Death toll of the flood rises to 404"),
        page(
            paragraphs(
                "Larkmoor wants all shops to let their customers reject all cookies at once.",
                *STORY,
                "A judge had called the consent of the customers worthless in an earlier case.",
            )
        ),
        page(paragraphs(*STORY, "The paper said that its subscribers would read on for nothing.")),
    ],
)
def test_a_story_is_no_problem_whatever_stands_around_it(html: str) -> None:
    found = _read(html)
    assert found.reason is None
    assert found.text is not None
    assert STORY[2] in found.text


@pytest.mark.parametrize(
    "html",
    [
        page("<h1>404</h1><p>The page that you are looking for was not found.</p>", title="404"),
        page("<p>Nothing here.</p>", title="Page not found | Larkmoor Herald"),
        page(
            "<h1>Oops! That page can’t be found.</h1><p>It looks like nothing was found at this"
            " location. Maybe try one of the links below or a search?</p>",
            title="Nothing found – Larkmoor Herald",
        ),
        page("<h1>403 Forbidden</h1><hr><center>nginx</center>", title="403 Forbidden"),
        page("<h1>502 Bad Gateway</h1>", title="502 Bad Gateway"),
        page(
            "<h1>Seite nicht gefunden</h1><p>Die gewünschte Seite existiert nicht oder ist"
            " umgezogen. Bitte nutzen Sie die Suche oder gehen Sie zur Startseite.</p>",
            title="Fehler 404 - Der Bote",
        ),
        page(
            "<h1>Hoppla</h1><p>Die von Ihnen aufgerufene Seite wurde leider nicht gefunden.</p>",
            title="Der Bote",
        ),
        page(
            "<p>Désolé, la page que vous cherchez n’existe plus ou a été déplacée.</p>",
            title="Page introuvable - Le Courrier",
        ),
        page("<p>La página que busca no existe o ha cambiado.</p>", title="Página no encontrada"),
        page("<p>Siamo spiacenti.</p>", title="Pagina non trovata - Il Corriere del Tarn"),
        page("<h1>Something went wrong</h1><p>Please try again later.</p>", title="Error"),
        page(f"<h1>This article is no longer available</h1>{''.join(TEASERS)}", title="Herald"),
        page("<h1>We’ll be back soon!</h1><p>We are repairing the presses.</p>", title="Herald"),
        page(
            "<div><h2>Sorry</h2><p>We can’t find the page you asked for. It may have been moved"
            " long ago. Have a look at the latest stories of our newsroom below.</p>"
            "<ul><li><a href='/a'>Home</a></li></ul></div>",
            title="Larkmoor Herald",
        ),
    ],
)
def test_an_error_page_that_is_served_as_a_page_is_told(html: str) -> None:
    assert _read(html).reason == ERROR_PAGE


@pytest.mark.parametrize(
    "html",
    [
        page("<p>Checking your browser before accessing the site.</p>", title="Just a moment..."),
        page("<h1>Access denied</h1><p>Reference 18.2f3</p>", title="Access Denied"),
        page("<iframe>Request unsuccessful. Incapsula incident ID: 70300</iframe>", title=""),
        page("<p>Please verify that you are a human to go on.</p>", title="herald.example"),
        page("<p>Bitte bestätigen Sie, dass Sie kein Roboter sind.</p>", title="Der Bote"),
    ],
)
def test_a_check_for_robots_is_told(html: str) -> None:
    assert _read(html).reason == ROBOT_CHECK


@pytest.mark.parametrize(
    "html",
    [
        page(
            "<div class='cmp'><h1>We value your privacy</h1><p>We and our 823 partners store and/or"
            " access information on a device, such as cookies, and process personal data. You can"
            " change your choices at any time. Some partners rely on their legitimate interest."
            "</p><button>Accept all</button><button>Reject all</button></div>",
            title="Larkmoor Herald",
        ),
        page(
            "<main><h2>Before you continue</h2><p>We use cookies and data to deliver and maintain"
            " our services, track outages and protect against spam. If you choose to accept all,"
            " we will also use them to develop new services.</p></main>",
            title="Before you continue",
        ),
        page(
            "<div><h1>Weiter mit Werbung oder mit dem Pur-Abo</h1><p>Besuchen Sie unsere Seite wie"
            " gewohnt mit Werbung und Tracking. Wir und unsere 211 Partner brauchen dafür Ihre"
            " Einwilligung, die Sie jederzeit widerrufen können.</p>"
            "<button>Akzeptieren und weiter</button></div>",
            title="Der Bote: Zustimmung",
        ),
        page(
            "<div><h2>Le respect de votre vie privée</h2><p>Nous et nos 412 partenaires stockons"
            " des cookies pour mesurer l’audience. Vous pouvez modifier vos choix à tout moment"
            " ou retirer votre consentement.</p><a href='#'>Continuer sans accepter</a></div>",
            title="Le Courrier",
        ),
        page(
            "<div><p>Nosotros y nuestros 130 socios guardamos cookies en su dispositivo para medir"
            " la audiencia. Puede retirar su consentimiento cuando quiera.</p>"
            "<button>Aceptar y continuar</button></div>",
            title="El Correo del Tarn",
        ),
    ],
)
def test_a_consent_wall_is_told(html: str) -> None:
    assert _read(html).reason == CONSENT_WALL


@pytest.mark.parametrize(
    "html",
    [
        page(f"{BEGINNING}<div><p>Subscribe to continue reading this story.</p></div></article>"),
        page(f"{BEGINNING}<p>This article is only available to subscribers.</p></article>"),
        page(f"{BEGINNING}</article>", head=NOT_FREE % "false"),
        page(f"{BEGINNING}</article>", head=NOT_FREE % '"False"'),
        page(
            f"<article><h1>T</h1>{paragraphs(*STORY[:2])}<p>The mayor then said that she …</p>"
            "</article><div><p>Already a subscriber? <a href='/login'>Log in</a></p></div>"
        ),
        page(f"{BEGINNING}<div>Weiterlesen mit dem Abo: jetzt 4 Wochen testen</div></article>"),
        page(f"{BEGINNING}<p>Dieser Artikel ist nur für Abonnenten lesbar.</p></article>"),
        page(
            f"{BEGINNING}<p>Il vous reste 72 % de cet article à lire. La suite est réservée aux"
            " abonnés.</p></article>"
        ),
        page(f"{BEGINNING}<p>Abonnez-vous pour lire la suite de l’article.</p></article>"),
        page(f"{BEGINNING}<p>Contenido exclusivo para suscriptores</p></article>"),
        page(f"{BEGINNING}<p>Suscríbete para seguir leyendo</p></article>"),
        page(f"{BEGINNING}</article><h3>Keep reading with a subscription</h3><p>1 a week</p>"),
        page(f"{BEGINNING}<div>To read the full story, subscribe or sign in.</div></article>"),
        page(f"{BEGINNING}<p>You have reached your limit of free articles.</p></article>"),
        page(f"{BEGINNING}<p>Contenuto riservato agli abbonati</p></article>"),
    ],
)
def test_the_beginning_of_a_story_for_subscribers_is_told(html: str) -> None:
    found = _read(html)
    assert found.reason == PAYWALL
    assert found.text is not None
    assert STORY[0] in found.text


@pytest.mark.parametrize(
    "offer",
    [
        "Jetzt Abo abschließen und diesen Artikel lesen. Sie sind bereits Abonnent? Hier anmelden.",
        *("Weiterlesen mit Bote+", "Exklusiv für Abonnenten", "Jetzt testen und weiterlesen"),
        "Um diesen Artikel weiterzulesen, brauchen Sie ein Abo.",
        "Il vous reste 72% de cet article à lire. La suite est réservée aux abonnés.",
        *("Article réservé aux abonnés", "Cet article est réservé à nos abonnés."),
        "Para seguir leyendo, hazte suscriptor. ¿Ya eres suscriptor? Inicia sesión.",
        *("Este contenido es exclusivo para suscriptores", "Sólo para suscriptores"),
        *("Continúa leyendo con una suscripción", "Has alcanzado el límite de artículos gratis."),
        *("Per continuare a leggere, abbonati o accedi.", "Abbonati e continua a leggere"),
        *("Questo articolo è riservato agli abbonati.", "Continua a leggere con l’abbonamento"),
        *("Dit artikel is alleen voor abonnees.", "Verder lezen? Word abonnee voor 1 euro."),
        *("Log in om dit artikel te lezen.", "Lees het hele artikel met een abonnement"),
        *("Este artigo é exclusivo para assinantes.", "Já é assinante? Assine para ler mais."),
        "Para continuar a ler, faça login ou assine.",
        *("Den här artikeln är bara för prenumeranter.", "Prenumerera för att läsa vidare"),
        *("Denne saken er kun for abonnenter.", "Kjøp et abonnement for å lese hele saken."),
        *("Artiklen er forbeholdt abonnenter.", "Bliv abonnent og læs videre"),
        "Vil du læse videre? Køb et abonnement eller log ind.",
    ],
)
def test_an_offer_of_the_rest_is_told_in_many_languages_and_no_part_of_the_text(
    offer: str,
) -> None:
    found = _read(page(f"{BEGINNING}<div>{offer}</div></article>"))
    assert (found.reason, found.text) == (PAYWALL, "\n\n".join(STORY[:2]))


@pytest.mark.parametrize(
    "told",
    [
        "The Herald wants five pounds a month from its readers. Subscribers can read all of it.",
        "Der Verlag erhöht den Beitrag für Abonnenten. Der Zugang zum Archiv gehört zum Abo.",
        "Wer ein Abo abschließt, soll auch künftig jeden Artikel lesen können, sagt der Verlag.",
        "Die Zeitung hat 4000 Abonnenten. Nur wenige haben schon ein Abo für das Netz.",
        "Le contenu du site sera réservé aux abonnés, dit le directeur. Les abonnés sont inquiets.",
        "La plataforma ofrece contenido exclusivo para suscriptores, que pagan nueve euros al mes.",
        "Los suscriptores pagarán más para seguir leyendo el diario en la red.",
        "Il giornale ha perso lettori. Gli abbonati pagano dieci euro al mese per leggere tutto.",
        "Il teatro ha un abbonamento, e gli abbonati possono continuare a leggere la rivista.",
        "De zaal is alleen voor leden. Wie abonnee is, kan de krant ook op zondag lezen.",
        "De krant vraagt lezers om abonnee te worden. Zij lezen dan verder op hun telefoon.",
        "A rádio oferece conteúdo exclusivo para assinantes, e o jornal quer que o leitor assine.",
        "Os leitores pagam para continuar a ler o jornal, que tem dois mil assinantes.",
        "Tidningen har 4000 prenumeranter. De kan läsa vidare på nätet utan att logga in.",
        "Avisen har 4000 abonnenter. De må betale mer for å lese saker om kommunen.",
    ],
)
def test_a_story_about_subscriptions_is_one(told: str) -> None:
    found = _read(page(f"<article><h1>T</h1>{paragraphs(told, *STORY)}</article>"))
    assert found.reason is None
    assert told in (found.text or "")


def test_an_offer_behind_a_long_story_is_no_part_of_it() -> None:
    offer = "<p>Jetzt das Abo testen. Sie sind bereits Abonnent? Hier anmelden.</p>"
    found = _read(page(f"<article><h1>T</h1>{paragraphs(*STORY * 5)}{offer}</article>"))
    assert found.reason is None
    assert "Abonnent" not in (found.text or "")


@pytest.mark.parametrize(
    ("tier", "reason"),
    [("locked", PAYWALL), ("metered", None), ("free", None), ("Locked", PAYWALL)],
)
def test_a_beginning_is_told_by_the_tier_that_its_publisher_states(
    tier: str, reason: str | None
) -> None:
    head = f'<meta property="article:content_tier" content="{tier}">'
    assert _read(page(f"{BEGINNING}</article>", head=head)).reason == reason


def test_a_long_story_of_a_locked_tier_is_taken_with_a_word_unless_json_ld_calls_it_free() -> None:
    locked = '<meta property="article:content_tier" content="locked">'
    html = page(f"<article>{paragraphs(*STORY * 5)}</article>", head=locked)
    assert "not free" in _read(html).notes[0]
    assert _read(html.replace("</head>", NOT_FREE % "true" + "</head>")).notes == ()


def test_a_paid_text_in_the_data_of_a_page_is_never_used() -> None:
    found = _read(page(f"{BEGINNING}</article>", head=NOT_FREE % "false"))
    assert found.text is not None
    assert STORY[4] not in found.text
    hidden = page(f"{BEGINNING}<div hidden>{paragraphs(*STORY[2:])}</div></article>")
    assert STORY[4] not in (_read(hidden).text or "")


def test_a_long_story_that_is_not_free_for_all_is_taken_with_a_word() -> None:
    found = _read(page(f"<article>{paragraphs(*STORY * 5)}</article>", head=NOT_FREE % "false"))
    assert found.reason is None
    assert "not free" in found.notes[0]


def test_filler_text_is_told() -> None:
    latin = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor. " * 6
    assert _read(page(paragraphs(STORY[0], latin))).reason == FILLER_TEXT


@pytest.mark.parametrize(
    "html",
    [
        page(f"<h1>Log in</h1>{LOGIN_FORM}", title="Log in | Larkmoor Herald"),
        page(f"<h1>Anmelden</h1><p>Bitte melden Sie sich an.</p>{LOGIN_FORM}", title="Anmelden"),
        page(f"<p>Identifiant et mot de passe</p>{LOGIN_FORM}", title="Connexion - Le Courrier"),
        page(f"<p>Usuario y contraseña</p>{LOGIN_FORM}", title="Iniciar sesión"),
        page(f"<h2>Welcome back</h2>{LOGIN_FORM}", title="Larkmoor Herald"),
        page(
            "<h1>Members only</h1><p>You must be logged in to view this page.</p>", title="Herald"
        ),
    ],
)
def test_a_login_page_is_told(html: str) -> None:
    assert _read(html).reason == LOGIN


@pytest.mark.parametrize("url", ["https://herald.example/", "https://herald.example"])
@pytest.mark.parametrize(
    "head", ['<meta property="og:type" content="website">', '<meta name="x" content="y">']
)
def test_a_home_page_is_told(url: str, head: str) -> None:
    html = page(f"<main>{''.join(TEASERS)}</main>", title="Larkmoor Herald", head=head)
    assert _read(html, url).reason == HOME_PAGE


@pytest.mark.parametrize(
    "html",
    [
        page(f"<main><h1>Town</h1>{''.join(TEASERS)}</main>", title="Town | Larkmoor Herald"),
        page(f"<div><section>{'</section><section>'.join(TEASERS)}</section></div>"),
        page(
            "<ul>"
            + "".join(f"<li><a href='/n/{n}'>A headline of story {n}</a></li>" for n in range(60))
            + "</ul>",
            title="Archive",
        ),
        page(f"<p>{STORY[0]}</p>{''.join(TEASERS)}", head=json_ld('{"@type": "CollectionPage"}')),
    ],
)
def test_a_list_of_stories_is_told(html: str) -> None:
    assert _read(html).reason == LIST_PAGE


_PAID = (
    '{"@type": "NewsArticle", "headline": "The bridge is open", "isAccessibleForFree": "False",'
    ' "hasPart": {"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": "%s"}}'
)


@pytest.mark.parametrize("selector", [".paid", "#rest", "div.paid", ".nothing, .paid"])
def test_what_its_publisher_marks_as_paid_is_told_though_it_can_be_read(selector: str) -> None:
    body = f"<p>{STORY[0]}</p><div class='story paid' id='rest'>{paragraphs(*STORY * 4)}</div>"
    found = _read(page(f"<article>{body}</article>", head=json_ld(_PAID % selector)))
    assert found.reason == PAYWALL
    assert STORY[2] in (found.text or "")


def test_a_small_paid_part_does_not_keep_a_story_out() -> None:
    body = f"{paragraphs(*STORY * 4)}<div class='paid'>{paragraphs(STORY[0])}</div>"
    assert _read(page(f"<article>{body}</article>", head=json_ld(_PAID % ".paid"))).reason is None


@pytest.mark.parametrize(
    "html",
    [
        page("<noscript>You need to enable JavaScript to run this app.</noscript><div id='root'>"),
        page("<div id='__next'></div><script>load()</script>"),
        "<title>T</title><tarn-app></tarn-app><script src='/a.js'></script>",
        page("<p>Bitte aktivieren Sie JavaScript in Ihrem Browser.</p>"),
        page("<p>Veuillez activer JavaScript.</p>"),
    ],
)
def test_a_page_that_needs_javascript_is_told(html: str) -> None:
    assert _read(html).reason == SCRIPT_ONLY


def test_a_site_that_is_closed_to_a_part_of_the_world_is_told() -> None:
    text = "Unfortunately, our website is currently unavailable in most European countries."
    assert _read(page(paragraphs(text), title="Herald")).reason == REGION_BLOCK
    video = "This video is not available in your country, but the story of it is told here."
    assert _read(page(paragraphs(*STORY, video))).reason is None


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (page(""), NO_TEXT),
        ("", NO_TEXT),
        ("<!-- nothing -->", NO_TEXT),
        (page("<p>* * *</p>"), NO_TEXT),
        (page("<p>Buses cross it.</p>"), TOO_LITTLE),
        (
            page("<video src='v.mp4'></video><p>It opened.</p>", head=json_ld('{"@type": "X"}')),
            TOO_LITTLE,
        ),
        (page("<p>It opened.</p><script type='text/template'>x</script>"), TOO_LITTLE),
        (page("<p>It opened.</p><script type='module' src='/a.js'></script>"), SCRIPT_ONLY),
    ],
)
def test_little_or_no_text_is_told(html: str, reason: str) -> None:
    assert _read(html).reason == reason


def test_a_short_story_in_chinese_is_not_too_little() -> None:
    text = (
        "財政部今天下午公佈本期統一發票中獎清冊，千萬中獎張數為十八張，民眾應於七月六日以前兌獎。"
    )
    assert _read(page(paragraphs(text, "兌獎期限自四月六日起算，逾期不予受理。"))).reason is None


def test_a_date_above_a_short_story_in_chinese_is_no_part_of_it() -> None:
    text = "江南小镇周三举办了首届灯笼节，共有三万多名游客参加，明年的数量还会增加一倍。"
    top = "<h1>灯笼节</h1><p>2023年10月21日</p>"
    said = page(f"{top}<p>2019年这个小镇的客人还不到三千</p>{paragraphs(text, text)}")
    assert "2019年" in (_read(said).text or "")
    assert (
        _read(page(top + paragraphs(text, text[::-1] + "。"))).text == f"{text}\n\n{text[::-1]}。"
    )


def test_each_reason_is_a_sentence_of_its_own() -> None:
    reasons = [
        *(CONSENT_WALL, ERROR_PAGE, FILLER_TEXT, HOME_PAGE, LIST_PAGE, LOGIN, NO_TEXT, PAYWALL),
        *(REGION_BLOCK, ROBOT_CHECK, SCRIPT_ONLY, TOO_LITTLE),
    ]
    assert len(set(reasons)) == len(reasons)
    assert all(r[0].isupper() and r.endswith(".") for r in reasons)
