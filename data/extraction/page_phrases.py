"""What pages say instead of a story, in the languages of the news."""

import re

# Where a sentence begins that asks for something: `Abbonati per leggere`, not `gli abbonati ...`.
_START = r"(?:\A|[.!?…:|])\W{0,9}"
_WHOLE_LINE = r"\A\W*{}\W*\Z"


def _phrases(*parts: str) -> re.Pattern[str]:
    spaced = (part.replace(" ?", r"\s*").replace(" ", r"\s+") for part in parts)
    return re.compile("|".join(spaced), re.IGNORECASE)


# A title, or a part of one, that is all of this.
ERROR_TITLE = _phrases(
    r"\W*(?:http )?(?:error:? )?(?:status )?(?:403|404|410)(?: error)?\W*",
    r"\W*(?:http )?(?:error )?(?:400|401|403|404|405|410|429|5[0-2]\d)\W+(?:error|not found"
    r"|forbidden|bad request|unauthori[sz]ed|gone|page|internal|server|bad gateway|gateway|service"
    r"|too many|seite|pagina|página|introuvable)\b.{0,60}",
    r"\W*(?:http )?(?:error|fehler|erreur|errore) (?:4|5)\d\d\b.{0,60}",
    r"\W*(?:error:? )?(?:404 )?(?:(?:file|page|document|article|content|url) )?(?:was )?"
    r"not found\W*",
    r"\W*(?:oops|sorry|whoops|hoppla)\b.{0,60}\b(?:page|exist|went wrong|seite)\b.{0,40}",
    r"\W*(?:the |this |that )?page (?:you .{0,40} )?(?:can['’]t|cannot|could not|couldn['’]t)"
    r" be found\W*",
    r"\W*(?:502 )?(?:bad gateway|gateway time-?out|service unavailable|internal server error)\W*",
    r"\W*page (?:unavailable|expired|removed)\W*|\W*something went wrong\W*",
    r"\W*(?:this |the )?(?:article|story|content|post) (?:is |has been |was )?"
    r"(?:no longer available|not available|unavailable|removed|deleted)\W*",
    r"\W*(?:this )?account (?:has been )?suspended\W*",
    r".{0,60}\b(?:domain|\.\w{2,10}) (?:is )?for sale\W*",
    r"\W*we(?:['’]ll| will) be (?:right )?back(?: soon)?\W*",
    r"\W*(?:site|scheduled|under) maintenance\W*",
    r"\W*(?:this )?page (?:is )?(?:no longer available|does(?:n['’]t| not) exist)\W*",
    r"\W*(?:seite|artikel|dokument) (?:wurde )?(?:leider )?nicht gefunden\W*|\W*fehler 404\W*",
    r"\W*(?:page|article) (?:introuvable|non trouvée?|inexistante?)\W*|\W*erreur 404\W*",
    r"\W*(?:página|pagina|artículo) no (?:encontrad[oa]|existe)\W*",
    r"\W*página não (?:encontrada|existe)\W*|\W*(?:pagina non trovata|pagina niet gevonden)\W*",
    r"\W*(?:sidan hittades inte|siden blev ikke fundet|strona nie (?:istnieje|znaleziona))\W*",
    r"\W*страница не найдена\W*|\W*сторінку не знайдено\W*",
)
# The text of an error page, wherever it says it.
ERROR_TEXT = _phrases(
    r"\b(?:page|url|address|link)\b[^.!?]{0,80}\b(?:(?:was|is|were) not found"
    r"|(?:can['’]t|cannot|could not|couldn['’]t) be (?:found|located)|no longer exists?"
    r"|does(?:n['’]t| not) exist|has been (?:moved|removed|deleted)|is(?:n['’]t| not) available)",
    r"\b(?:can['’]t|cannot|could not|couldn['’]t|unable to) (?:seem to )?(?:find|locate)"
    r" (?:the|that|this|your) (?:page|article|story|url)\b",
    r"\b(?:seite|artikel)\b[^.!?]{0,80}\b(?:nicht gefunden|existiert nicht|gibt es nicht"
    r"|nicht (?:mehr )?verfügbar|nicht auffindbar)",
    r"\bpage\b[^.!?]{0,80}\b(?:introuvable|n['’]existe (?:pas|plus)|n['’]a pas été trouvée"
    r"|n['’]est (?:pas|plus) disponible)",
    r"\bpágina\b[^.!?]{0,80}\b(?:no (?:existe|se (?:ha )?enc(?:ontrado|uentra)|está disponible)"
    r"|não (?:existe|foi encontrada|está disponível))",
    r"\bpagina\b[^.!?]{0,80}\b(?:non (?:esiste|è stata trovata|è disponibile)"
    r"|(?:bestaat niet|niet gevonden))",
)
REGION = _phrases(
    r"\b(?:(?:web)?site|page|content|service)\b[^.]{0,60}"
    r"\b(?:unavailable|not available|not accessible) (?:in|to|for|from)"
    r" (?:most |some |your |the |users in )*(?:european|eu\b|europe|country|region|location)",
    r"\baccess\w* (?:this|our) (?:web)?site from (?:a country|the european|within the eu)",
    r"\bunavailable (?:due to|for) legal reasons\b|\bgeneral data protection regulation\b[^.]{0,80}"
    r"\b(?:access|available)",
)
LOGIN_TEXT = _phrases(
    r"\b(?:must|need to|have to|please) (?:be )?(?:log(?:ged)? ?in|sign(?:ed)? ?in|register(?:ed)?)"
    r" (?:in )?(?:to|before|first)\b",
    r"\b(?:loggen|melden) sie sich (?:bitte )?(?:ein|an)\b|\beinloggen, um\b",
    r"\b(?:connectez-vous|identifiez-vous) pour\b|\b(?:inicia|inicie) sesión para\b",
)
ROBOT = _phrases(
    r"\bverify(?:ing)? (?:that )?you are (?:a )?human\b",
    r"\b(?:are you|you are not|not) a robot\b",
    r"\bunusual (?:traffic|activity) (?:from|has been)\b",
    r"\bincapsula incident\b",
    r"\bchecking your browser\b",
    r"\bpardon our interruption\b",
    r"\bcompleting the captcha\b|\bsolve the captcha\b",
    r"\bsind sie ein (?:mensch|roboter)\b|\bkein roboter\b",
    r"\bvous (?:êtes|n['’]êtes pas) (?:un humain|un robot)\b",
    r"\bno (?:soy|eres) un robot\b",
)
ROBOT_TITLE = _phrases(
    r"\W*(?:just a moment|attention required!?|access (?:to this page has been )?denied"
    r"|security check|robot check|are you a robot|human verification|ddos-guard|one moment, please"
    r"|please wait|pardon our interruption|bot verification)\W*",
)
SCRIPT = _phrases(
    r"\b(?:enable|turn on|requires?|needs?|without|switch on|activate|running)\b[^.]{0,60}"
    r"\bjavascript\b",
    r"\bjavascript\b[^.]{0,60}\b(?:enabled?|disabled|required|turned off|aktivieren|deaktiviert"
    r"|activado|habilitado|activé|désactivé|attivo|ingeschakeld)",
    r"\b(?:aktivieren|activez|activer|activa|active|activar|habilite|habilita|attiva|abilita)\b"
    r"[^.]{0,60}\bjavascript\b",
)
CONSENT = _phrases(
    r"\bwe(?:,)? (?:and|with) (?:up to )?(?:our )?(?:\d+ )?(?:our )?(?:trusted )?partners\b",
    r"\bwe (?:use|store|and third parties use|value|respect|care about)\b[^.]{0,40}"
    r"\b(?:cookies|your privacy)\b",
    r"\b(?:accept|reject|allow) all(?: cookies)?\b",
    r"\bmanage (?:your )?(?:cookies?|consent|preferences|choices|options|privacy settings)\b",
    r"\byour (?:consent|privacy choices|choices|cookie preferences)\b",
    r"\bby (?:clicking|selecting|choosing|pressing)\b[^.]{0,60}\b(?:agree|accept|consent)",
    r"\b(?:legitimate interests?|iab vendors|store and/or access information)\b",
    r"\b(?:this|our) (?:web)?site (?:and our partners )?uses? cookies\b",
    r"\bbefore you continue\b|\bagree to (?:our|the) (?:use of )?cookies\b",
    r"\bwir (?:und|sowie) (?:bis zu )?(?:unsere )?(?:\d+ )?(?:unsere )?partner\b",
    r"\bwir (?:verwenden|nutzen|setzen|benötigen)\b[^.]{0,60}\b(?:cookies|einwilligung|zustimmung)",
    r"\b(?:ihre|deine|meine) (?:einwilligung|zustimmung)\b|\balle(?:s)? (?:akzeptieren|ablehnen)\b",
    r"\bmit werbung (?:und tracking )?(?:weiter|nutzen|lesen)|\bwerbefrei (?:lesen|weiter)",
    r"\b(?:zustimmen|akzeptieren) (?:und|&) weiter\b",
    r"\bnous (?:et|avec) nos (?:\d+ )?partenaires\b|\bnous utilisons des cookies\b",
    r"\bvotre consentement\b|\bvos (?:choix|préférences)\b|\btout (?:accepter|refuser)\b",
    r"\b(?:continuer sans accepter|accepter et (?:continuer|fermer))\b",
    r"\bnosotros y nuestros (?:\d+ )?socios\b|\butilizamos cookies\b",
    r"\b(?:tu|su) consentimiento\b|\b(?:aceptar|rechazar) (?:todo|todas|y continuar)\b",
    r"\bnoi e i nostri (?:\d+ )?partner\b|\butilizziamo (?:i )?cookie\b",
    r"\baccetta (?:tutto|tutti)\b",
    r"\bwij en onze (?:\d+ )?partners\b|\bwij gebruiken cookies\b|\balles accepteren\b",
    r"\bnós e (?:os )?nossos (?:\d+ )?parceiros\b|\butilizamos cookies\b|\baceitar tod[oa]s\b",
)
# These say that the story at hand goes on for those who pay.
PAYWALL = _phrases(
    r"\bsubscri(?:be|ption)\b[^.]{0,60}\b(?:to|and) (?:(?:continue|keep|finish) reading"
    r"|(?:read|unlock|view|see) (?:this|the full|the rest|the whole|the entire))\b",
    r"\b(?:continue|keep|finish) reading\b[^.]{0,80}"
    r"\b(?:subscri|regist|sign (?:in|up)|log in|account|member|trial)",
    r"\bsubscribe to (?:read|see|view) (?:more|on)\b",
    r"\bto read (?:the (?:full|rest|whole)|this|more)\b[^.]{0,60}"
    r"\b(?:subscri|sign in|log in|register)",
    r"\breached your\b[^.]{0,40}\blimit\b",
    r"\b(?:register|sign up|log in|sign in|become a member)\b[^.]{0,60}"
    r"\b(?:to|and) (?:continue|keep|finish) reading\b",
    r"\b(?:this|the full|the rest of (?:this|the)) (?:article|story|content|post|report)\b"
    r"(?: is| are)? (?:only|exclusively|exclusive|available|reserved|free|for)\b[^.]{0,40}"
    r"\b(?:subscribers|members)\b",
    r"\b(?:subscribers?|members?)[- ](?:only|exclusive) (?:article|story|content)\b",
    r"\b(?:exclusive|reserved) (?:for|to) (?:(?:our|paid|premium) )*(?:subscribers|members)\b",
    r"\bunlock (?:this|the full) (?:article|story)\b|\bread the full (?:article|story) with\b",
    # German
    r"\b(?:diese[rn]|der ganze|den ganzen) (?:artikel|beitrag|text|inhalt)\b[^.]{0,60}"
    r"\b(?:abonnenten|abonnent\*?innen|abo\b|plus-mitglied|registrierte)",
    r"\bweiter ?lesen\b[^.]{0,60}(?:\b(?:\w*abo\b|abonn|plus\b|premium)|\w\+)",
    r"\b(?:voller|sofort|unbegrenzter) zugang\b[^.]{0,60}\b(?:\w*abo\b|abonn|plus\b|premium)",
    r"\babonnieren\b[^.]{0,40}\b(?:weiter)?lesen\b",
    r"\b(?:abo|abonnement)\b[^.]{0,60}\b(?:weiterlesen|weiter lesen|freischalten)",
    rf"{_START}(?:jetzt|hier|gleich) [^.!?]{{0,40}}\babo(?:nnement)?\b[^.!?]{{0,40}}\bund"
    r" (?:\w+ ){0,3}lesen\b",
    r"\b(?:jetzt|sofort) (?:weiterlesen|freischalten|testen und)\b",
    rf"{_START}um (?:(?:diesen (?:artikel|text|beitrag) )?weiterzulesen"
    r"|diesen (?:artikel|text|beitrag) (?:ganz )?zu lesen)\b"
    r"[^.]{0,80}\b(?:abo\b|abonn|anmelden|melden sie|registrier)",
    _WHOLE_LINE.format(r"(?:nur|exklusiv) für (?:unsere )?(?:abonnenten|abonnent\*?innen)"),
    # French
    r"(?:\A\W*|\b(?:ce|cet|la) )(?:article|contenu|suite)\b[^.]{0,40}"
    r"\bréservé(?:e)? (?:à nos|aux) abonnés",
    r"\babonnez-vous\b[^.]{0,60}\b(?:lire|poursuivre|continuer|accéder)",
    r"\bil vous reste \d+ ?% de (?:cet article|ce contenu)\b",
    # Spanish
    r"(?:\A\W*|\best[ea] )(?:contenido|artículo|noticia)\b[^.]{0,40}"
    r"\b(?:exclusiv[oa]|reservad[oa]|s[oó]lo) para (?:nuestros )?(?:suscriptores|socios)",
    _WHOLE_LINE.format(r"(?:s[oó]lo|exclusivo) para (?:nuestros )?(?:suscriptores|socios)"),
    r"\bsuscr[ií]b(?:ete|ase|ite)\b[^.]{0,60}\b(?:leyendo|leer|acceder|continuar)",
    rf"{_START}(?:para|si quieres) (?:seguir|continuar) leyendo\b[^.]{{0,60}}"
    r"\b(?:suscr[ií]b(?:ete|ase|ite)|reg[ií]str(?:ate|ese)|inici[ae] sesión|hazte)\b",
    rf"{_START}(?:hazte|h[aá]gase) (?:suscriptora?|soci[oa]|premium)\b[^.]{{0,60}}"
    r"\b(?:leer|leyendo|acceder)",
    r"\b(?:sigue|siga|contin[uú]a|continúe) leyendo\b[^.]{0,40}\bsuscripción\b",
    r"\bhas (?:alcanzado|superado|llegado al?)\b[^.]{0,30}\blímite de (?:artículos|noticias)\b",
    # Portuguese
    r"(?:\A\W*|\best[ea] )(?:conteúdo|matéria|reportagem|artigo|texto|notícia)\b[^.]{0,40}"
    r"\b(?:exclusiv[oa]|restrit[oa]|reservad[oa]) (?:para|a|aos|de) (?:os nossos )?assinantes",
    _WHOLE_LINE.format(r"(?:só|exclusivo) para assinantes"),
    rf"{_START}(?:já )?assine\b[^.]{{0,60}}\b(?:continuar|ler|acessar|aceder)",
    rf"{_START}para continuar (?:a ler|lendo|a leitura)\b[^.]{{0,60}}"
    r"\b(?:assine|faça (?:o )?login|inicie sessão|entre|registe-se|cadastre-se)\b",
    # Italian
    r"(?:\A\W*|\bquesto )(?:contenuto|articolo)\b[^.]{0,40}\b(?:riservato|esclusivo)\b[^.]{0,20}"
    r"\babbonati\b",
    rf"{_START}abbonati\b[^.]{{0,40}}\b(?:per|e) (?:continu|legg)",
    rf"{_START}per continuare (?:a leggere|la lettura)\b[^.]{{0,60}}"
    r"\b(?:abbonati|accedi|registrati|sottoscrivi)\b",
    rf"{_START}continua a leggere\b[^.]{{0,40}}\babbona",
    r"\bhai (?:raggiunto|superato) il limite di articoli\b",
    # Dutch
    r"\b(?:dit|het hele) (?:artikel|verhaal|stuk|bericht)\b[^.]{0,40}"
    r"\b(?:alleen|exclusief|enkel|uitsluitend)\b[^.]{0,20}\b(?:abonnees|leden)\b",
    _WHOLE_LINE.format(r"(?:alleen|exclusief|enkel) voor (?:onze )?(?:abonnees|leden)"),
    rf"{_START}lees (?:verder|dit artikel|het hele (?:artikel|verhaal)) (?:met|als)\b[^.]{{0,30}}"
    r"\babonne",
    rf"{_START}verder lezen\W+(?:word|neem|log|sluit|kies)\b",
    rf"{_START}(?:word (?:nu )?(?:abonnee|lid)|log in|neem een abonnement|maak een account)\b"
    r"[^.]{0,40}\b(?:om [^.]{0,40}te lezen|en lees)\b",
    # Swedish, Norwegian, Danish
    r"\b(?:den här artikeln|denne (?:artikk?el(?:en)?|saken)|artiklen|artikeln)\b[^.]{0,20}"
    r" (?:bara|endast|kun|forbeholdt|reserverad|låst|exklusiv\w*)\b[^.]{0,20}"
    r"\b(?:prenumeranter|abonnenter|medlemmar|medlemmer)\b",
    _WHOLE_LINE.format(
        r"(?:bara|endast|kun|exklusivt|eksklusivt) for (?:våra |våre |vores )?abonnenter"
    ),
    _WHOLE_LINE.format(r"(?:bara|endast|exklusivt) för (?:våra )?(?:prenumeranter|medlemmar)"),
    rf"{_START}(?:prenumerera|bli (?:prenumerant|abonnent|medlem)|bliv (?:abonnent|medlem)"
    r"|logga in|logg inn|log ind|(?:köp|kjøp|bestill|køb)\b[^.]{0,20} abonnement"
    r"|teckna\b[^.]{0,20} prenumeration)\b[^.]{0,40}"
    r"\b(?:för att|for å|for at|og|och) (?:läsa|lese|læse|läs|les|læs)\b",
    rf"{_START}(?:läs|les|læs) (?:vidare|videre|hela|hele|resten|artikeln|artiklen|saken)\b"
    r"[^.]{0,40}\b(?:med|som|bli|bliv)\b[^.]{0,20}\b(?:prenumer|abonne|medlem)",
    rf"{_START}(?:vill|vil) du (?:läsa|lese|læse) (?:vidare|videre|hela|hele|mer|mere)\b"
    r"[^.]{0,60}\b(?:prenumer|abonne|logga in|logg inn|log ind)",
    # Russian
    r"\b(?:материал|статья|текст)\b[^.]{0,40}\bподписчик",
)
# These stand on most pages of publishers that sell subscriptions.
OFFER = _phrases(
    r"\byou(?:['’]ve| have) (?:reached|read|used|hit)\b[^.]{0,60}\b(?:free )?(?:article|stories"
    r"|limit)",
    r"\balready (?:a |have a )?(?:subscriber|subscription|member)\b|\bsubscribe (?:now|today)\b",
    r"\b(?:unlimited|full|digital) access\b|\bstart (?:your )?(?:free )?trial\b",
    r"\bbereits (?:abonnent|registriert|ein abo)|\bjetzt abonnieren\b|\bschon (?:abonnent|ein abo)",
    r"\bdéjà abonnée?\b|\bje m['’]abonne\b|\bs['’]abonner\b",
    r"\bya (?:eres|es) suscriptora?\b|\bsuscr[ií]b(?:ete|ase)\b|\bjá é assinante\b|\bassine já\b",
    r"\b(?:sei già abbonat[oa]|hai già un abbonamento)\b|\bal abonnee\b|\bprenumerat",
    r"\b(?:redan prenumerant|(?:allerede|er du) abonnent)\b",
)
LOGIN_TITLE = _phrases(
    r"\W*(?:log ?in|sign ?in|log on|member login|subscriber login|(?:log|sign) in to .{0,40}"
    r"|please (?:log|sign) in|register|create (?:an|your) account|login required)\W*",
    r"\W*(?:anmelden|anmeldung|einloggen|login|bitte (?:melden sie sich an|anmelden))\W*",
    r"\W*(?:connexion|se connecter|identifiez-vous|connectez-vous|identification)\W*",
    r"\W*(?:iniciar sesión|inicia sesión|acceder|acceso|entrar|fazer login|iniciar sessão)\W*",
    r"\W*(?:accedi|inloggen|logga in|logg inn|kirjaudu|zaloguj się|вход|войти)\W*",
)
# Words of the Latin that designers and scrambled paywalls fill space with.
FILLER_LIST = """
lorem ipsum dolor amet consectetur adipiscing sed eiusmod tempor incididunt labore dolore magna
aliqua enim minim veniam quis nostrud exercitation ullamco laboris nisi aliquip commodo consequat
duis aute irure reprehenderit voluptate velit esse cillum fugiat nulla pariatur excepteur sint
occaecat cupidatat proident sunt culpa officia deserunt mollit laborum voluptatem quia rerum omnis
qui quod ipsam eos aut et repellat odio libero aspernatur sapiente iure numquam sequi vel
"""
FILLER = frozenset(FILLER_LIST.split())
