"""What stands around a story on its page and is none of it: how it reads, and how it is named."""

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from data.html_tree import Line, letters

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Letters. A longer paragraph is never taken for boilerplate by its words: losing a paragraph of
# the story is worse than keeping one that is none.
_LONGEST = 300
_LONGEST_OPENING = 160
_LONGEST_LABEL = 60

# Words of buttons and labels: a paragraph of nothing else is one.
_LABELS_LIST = """
share tweet pin print email e-mail mail save comment comments facebook twitter linkedin whatsapp
pinterest reddit telegram instagram messenger flipboard copy link more related advertisement
advertisements ad ads sponsored promoted subscribe follow loading close menu login register undo
next previous undo photos gallery this on via anzeige werbung teilen drucken kommentare
kommentieren merken publicité partager imprimer commentaires commenter publicidad compartir
imprimir comentarios comentar suscribite suscríbete publicidade compartilhar comentários
pubblicità condividi stampa commenti advertentie delen reacties реклама поделиться комментарии
"""
_LABELS = frozenset(_LABELS_LIST.split())
# With these a line leads away from the story.
_OPENINGS = re.compile(
    r"""\W*(?:
    (?:also\ |to\ )?read(?:\ (?:more|also|next|this|on))?\s*[:|»>-] | read\ (?:more|also|next)\b
    | see\ also\b | also\ (?:read|see|on)\b
    | you\ (?:may|might)\ also\ (?:like|enjoy|be\ interested)
    | related(?:\ (?:posts?|articles?|stor(?:y|ies)|content|links?|coverage|reading|videos?|news
        |topics?))?\s*(?::|$)
    | (?:recommended|suggested|further)\ (?:reading|for\ you|stories|articles)\b | explore\ further
    | more\ (?:from|on|stories|news|about)\b[^.!?]*$ | more\b[^.!?]{0,40}:\s*(?:https?:|$)
    | most\ (?:read|popular|viewed|shared|commented)\b | (?:trending|popular)\ (?:now|on|stories)\b
    | (?:watch|listen|photos|gallery|video)\s*: | don['’]t\ miss\s*:
    | sign\ up\b[^.!?]*$ | subscribe\ (?:to|now|here|today|for)\b | click\ (?:here|to\ tweet)\b
    | follow\ (?:us|@) | share\ this\ (?:story|article|post|page|on|with)\b
    | like\ (?:this|what)\b[^.]*\? | join\ the\ conversation
    | (?:leave|post|write|add)\ a\ (?:comment|reply) | download\ (?:our|the)\b.*\bapp\b
    | get\ (?:our|the)\b.*\bapp\b | (?:image|photo|picture)\ (?:credit|source)s?\b
    | (?:photo(?:graph)?s?|images?|fotos?|credit|bild|фото)\s*[:：©/]
    | (?:additional\ )?(?:reporting|writing)\ (?:and\ \w+\ )?by\b | edit(?:ing|ed)\ by\b
    | thank(?:s|\ you)\ for\ (?:signing|subscribing|reading|your\ subscription)
    | (?:sources?|tags?|topics?|filed\ under|categor(?:y|ies)|posted\ (?:in|by|on))\s*[:：]
    | (?:last\ )?(?:updated|published|modified)(?:\ on|\ at|:|$) | copyright\b | ©|\(c\)\ \d{4}
    # German
    | lesen\ sie\ (?:auch|mehr|hier|dazu) | mehr\ (?:zum\ thema|dazu|lesen) | auch\ interessant
    | das\ könnte\ sie\ (?:auch\ )?interessieren | weiterlesen | jetzt\ abonnieren
    | (?:quelle|schlagw[oö]rte?r?|themen)\s*: | melden\ sie\ sich\b.*\ban\b
    # French
    | (?:à\ )?lire\ (?:aussi|également|la\ suite) | à\ lire\s*: | voir\ aussi
    | sur\ le\ même\ (?:sujet|thème) | abonnez-vous | inscrivez-vous | suivez-nous
    # Spanish, Portuguese, Italian
    | le(?:a|e|er)\ (?:también|más) | (?:ver|vea|mira|mirá)\ también | (?:te|le)\ puede\ interesar
    | suscr[ií]b(?:ete|ase|ite) | s[ií]gu?e(?:nos|\ a)\b | fuente\s*:
    | leia\ (?:também|mais) | veja\ (?:também|mais) | saiba\ mais | clique\ aqui | inscreva-se
    | siga\ (?:o|a|nos|nosso)\b | fonte\s*: | leggi\ (?:anche|tutto) | vedi\ anche
    | potrebbe\ interessart?[iv]i? | iscriviti | abbonati | seguici
    # Dutch, Swedish, Norwegian, Danish, Finnish, Polish
    | lees\ (?:ook|meer|verder) | bron\s*: | läs\ (?:också|mer|även) | l[eæ]s\ (?:også|mer|mere)\b
    | lue\ (?:myös|lisää) | (?:czytaj|zobacz|przeczytaj)\ (?:także|też|również|więcej)
    # Russian, Ukrainian
    | читайте\ (?:также|також|материал|ещё|еще|далее) | смотрите\ также | подписывайтесь
    | підписуйтесь | источник\s*: | джерело\s*:
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# These give it away wherever they stand.
_PHRASES = re.compile(
    r"""
    \bnewsletters?\b.*\b(?:sign(?:ing)?\ up|subscrib\w+|inbox|abonn\w+|anmeld\w+|inscri\w+
        |suscr\w+|assin\w+|iscriv\w+|aanmeld\w+)
    | \b(?:sign(?:ing)?\ up|subscrib\w+|abonn\w+|inscri\w+|suscr\w+|iscriv\w+)\b.*\bnewsletters?\b
    | \b(?:in|to)\ your\ (?:inbox|mailbox|letterbox)\b | \bdelivered\ (?:to|through)\ your\b
    | \bclick(?:ing)?\ here\b | \bhier\ klicken\b | \bcliquez\ ici\b | \bhaga\ clic\b
    | \bfollow\ (?:us|me|him|her|them|[^.]{1,60})\ on
        \ (?:twitter|facebook|instagram|youtube|x|tiktok)\b
    | \bfind\ us\ on\ (?:twitter|facebook|instagram)
    | \ball\ rights\ reserved\b | \bmay\ not\ be\ (?:published|reproduced|redistributed|copied)\b
    | \balle\ rechte\ vorbehalten\b | \btous\ droits\ réservés\b | \balle\ rechten\ voorbehouden\b
    | \btodos\ (?:los\ derechos|os\ direitos)\ reservados\b
    | \b(?:riproduzione\ riservata|diritti\ riservati)\b
    | \bвсе\ права\ защищены\b
    | \bcontribut(?:ed|ing)\ (?:reporting\b|to\ this\ (?:report|story|article|post))
    | \baffiliate\ (?:links?|commissions?)\b | \b(?:earn|get|receive)\ an?\ (?:small\ )?commission\b
    | \bmay\ (?:earn|get|receive)\ a\ (?:share|portion|percentage)\b
    | \bpersonal,?\ non-?commercial\ use\b | \border\ (?:reprints|presentation-ready)\b
    | \ban\ error\ (?:has\ )?occurred\b | \btry\ again\ later\b
    | \bwe['’]?d\ (?:like|love)\ to\ hear\ (?:from|what)\b
    | \bletters?\ to\ the\ editor\b.*\b(?:email|tips)\b
    | \bplease\ enable\ (?:javascript|cookies)\b
    | \A\W*(?:reach|contact|write\ to|e-?mail|follow)\b.*(?:@|twitter|https?:)
    """,
    re.IGNORECASE | re.VERBOSE,
)

# How pages name (class, id) what is no story, as single words and as words in a row.
_NAMES_LIST = """
newsletter newsletters signup subscribe subscription subscriptions share sharing shares social
related recirc recirculation recommended recommendations promo promos promoted promotion sponsor
sponsored advert advertisement advertising ads trending popular readmore disqus breadcrumb
breadcrumbs toolbar print reprint reprints modal popup overlay cookie cookies consent
nav navigation menu sidebar footer byline caption outbrain taboola tags signin login
tooltip disclaimer copyright license rollover
"""
_NAMES = frozenset(_NAMES_LIST.split())
_NAMES_IN_A_ROW = frozenset(
    [
        *(("read", "more"), ("sign", "up"), ("log", "in"), ("sign", "in"), ("more", "stories")),
        *(("more", "news"), ("most", "read"), ("most", "viewed"), ("latest", "news")),
        *(("author", "bio"), ("about", "author"), ("also", "like"), ("see", "also")),
        *(("up", "next"), ("next", "article"), ("latest", "box"), ("link", "box")),
    ]
)
_HIDDEN = frozenset(
    ("hide", "hidden", "is-hidden", "visually-hidden", "sr-only", "screen-reader-text")
)
_OUTSIDE = frozenset(("header", "footer", "aside", "nav", "form", "figure", "figcaption", "button"))
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^a-z]+")


def reads_as_boilerplate(line: Line) -> bool:
    """Return whether a paragraph's words are those of a button, a pointer elsewhere or a notice."""
    count = len(line.key)
    words = (word.strip(".:,|•·…()").lower() for word in line.text.split() if letters(word))
    if count <= _LONGEST_LABEL and _LABELS.issuperset(words):
        return True
    if count <= _LONGEST_OPENING and _OPENINGS.match(line.text):
        return True
    return count <= _LONGEST and _PHRASES.search(line.text) is not None


def named_as_boilerplate(element: "HtmlElement") -> bool:
    """Return whether an element's kind or name says that no story stands in it."""
    if element.tag in _OUTSIDE:
        # Editors put tables into figures as well.
        return element.tag != "figure" or element.find(".//table") is None
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    if not _HIDDEN.isdisjoint(names.split()):
        return True
    words = [word for word in _NO_WORD.split(_HUMP.sub(" ", names).lower()) if word]
    if not _NAMES.isdisjoint(words):
        return True
    return any(pair in _NAMES_IN_A_ROW for pair in pairwise(words))
