"""The words by which buttons, pointers elsewhere and notices are told, in many languages.

Each set errs on the side of the story: a sentence that a reporter may write must not match.
"""

import re

# Words of buttons and labels: a line of nothing else is one.
_LABEL_LIST = """
share shares tweet tweets pin print email e-mail mail save comment comments facebook twitter
linkedin whatsapp pinterest reddit telegram instagram messenger flipboard copy link more related
like likes advertisement advertisements ad ads sponsored promoted subscribe follow loading close
menu login register undo next previous photos gallery this on via anzeige werbung teilen drucken
kommentare kommentieren merken publicité partager imprimer commentaires commenter publicidad
compartir imprimir comentarios comentar suscribite suscríbete publicidade compartilhar
comentários pubblicità condividi stampa commenti advertentie delen reacties реклама поделиться
комментарии
"""
LABELS = frozenset(_LABEL_LIST.split())


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


# What stands between the paragraphs of a story: headings of lists, labels, times. Whole lines.
SHORT_LINES = _compiled(
    r"""\W*(?:
    (?:top|latest|trending|featured|recent|popular|recommended|sponsored|promoted|more|other|related
        |suggested)\ (?:stories|news|articles|posts|content|videos|topics|links|reading|coverage)
    | editor(?:['’]?s['’]?|s)?\ picks? | recommended(?:\ for\ you)? | (?:from\ )?around\ the\ web
    | what\ to\ read\ next | (?:also\ )?in\ (?:other\ news|case\ you\ missed\ it) | back\ to\ top
    | (?:show|load|see|view|read|learn)\ (?:more|less|all) | read\ next | explore\ further
    | (?:most|trending|popular)\ (?:read|popular|viewed|shared|commented|now|on|in)\b[^.!?]*
    | (?:previous|next|older|newer)\ (?:article|story|post)s?\b.*
    | (?:view|show|hide|load|see|read|post|add|join)\b[^.!?]*\bcomments?
    | \d*\ ?comments?\ ?\W?\d*\W?
    | about\ the\ authors? | skip\ (?:ad|advertisement|to)\b.* | scroll\ (?:down|to)\b.*
    | (?:story|article|content)\ continues\b.* | continue\ reading\b.* | advertisement\b.*
    | share\ (?:on|via|with|this)\b[^.!?]* | tweet\ this | pin\ (?:it|this) | copy\ (?:this\ )?link
    | get\ (?:our|the)\b.*\bapp\b.* | download\ (?:our|the)\b.*\bapp\b.*
    | (?:image|media)\ (?:copyright|caption)\b.* | media\ playback\ is\b.* | getty\ images
    | (?:file\ |ap\ |courtesy\ )?photos?\ (?:by|courtesy|credit|via)\b[^.!?]*
    | (?:last\ |first\ )?(?:updated|published|modified|posted)\b.*\d[^.!?]* | tags? | topics?
    | a\ suivre | anzeige | empfohlen | mehr\ zum\ thema | auch\ interessant | zur\ startseite
    | sur\ le\ même\ (?:sujet|thème) | à\ lire\ aussi | más\ (?:noticias|información|leídas)
    | mais\ (?:lidas|notícias) | noticias\ relacionadas | altre\ notizie | meer\ nieuws
    )[\s:…»>)\]-]*""",
)
# With these a line leads away from the story, or tells who had a part in it.
OPENINGS = _compiled(
    r"""\W*(?:
    (?:also\ |to\ )?read(?:\ (?:more|also|next|this|on|the\ full\ story))?\s*[:|»>-]
    | read\ (?:more|also|next)\b | see\ also\b | also\ (?:read|see)\b(?=\W+(?-i:[A-Z]))
    | also\ on\ \w+\.\w+\b
    | you\ (?:may|might)\ (?:also\ )?(?:like|enjoy|be\ interested)
    | related(?:\ (?:posts?|articles?|stor(?:y|ies)|content|links?|coverage|reading|videos?|news
        |topics?))?\s*(?::|$)
    | more\ (?:from|on|stories|news|about)\b[^.!?]*$ | more\b[^.!?]{0,40}:\s*(?:https?:|$)
    | (?:watch|listen|photos|gallery|video|must\ read)\s*: | don['’]t\ miss\s*:
    | sign\ up\b[^.!?]*$ | subscribe\ (?:to|now|here|today|for)\b | click\ (?:here|to\ tweet)\b
    | follow\ (?:us|@)\b | like\ us\ on\ facebook | find\ us\ on\b
    | share\ this\ (?:story|article|post|page) | like\ (?:this|what)\b[^.]*\?
    | join\ the\ (?:conversation|discussion) | (?:leave|post|write|add)\ a\ (?:comment|reply)\b
    | (?:image|photo|picture)\ (?:credit|source)s?\b
    | (?:photo(?:graph)?s?|images?|fotos?|credit|bild|фото)\s*[:：©/]
    | \((?:additional\ )?(?:reporting|writing|editing)\b | additional\ reporting\ by\b
    | (?:reporting|writing|edited|editing)\ by\ (?-i:[A-Z])(?:[^.]{0,60}$|.*\bediting\ by\b)
    | already\ (?:a\ |have\ a\ )?(?:subscriber|member|subscription|registered)\b[^.]*$
    | contributing: | from\ [^.]{1,40}\ wire\ (?:reports|services)$
    | send\ (?:us\ )?(?:your\ )?tips\b
    | our\ standards:\ the\ thomson | to\ contact\ the\ (?:reporters?|editors?|authors?|staff)\b
    | thank(?:s|\ you)\ for\ (?:signing|subscribing|reading|listening|watching|supporting)
    | (?:got|have)\ (?:a|any)\ (?:news\ )?(?:tips?|stor(?:y|ies))\b.*\?
    | for\ (?:more|the\ latest)\ (?:news|stories|updates|videos|sports|coverage)\b
    | if\ you\ (?:liked|enjoyed|like|enjoy)\ (?:this|our)\b | a\ post\ shared\ by\b
    | (?:sources?|tags?|topics?|filed\ under|categor(?:y|ies)|posted\ (?:in|by|on))\s*[:：]
    | (?:(?:on\ )?twitter|facebook|instagram|e-?mail|phone|tel)\s*: | disclaimer\s*:
    | copyright\ (?:©|ⓒ|\(c\)|\d{4}) | ©|ⓒ|\(c\)\ ?\d{4}
    # German
    | lesen\ sie\ (?:auch|mehr|hier|dazu) | mehr\ (?:dazu|lesen)\b | jetzt\ abonnieren
    | das\ könnte\ sie\ (?:auch\ )?interessieren | weiterlesen | (?:quelle|schlagwörter|themen)\s*:
    # French
    | (?:à\ )?lire\ (?:aussi|également|la\ suite) | à\ lire\s*: | voir\ aussi\b
    | abonnez-vous | inscrivez-vous | suivez-nous
    # Spanish, Portuguese, Italian
    | le(?:a|e|er)\ (?:también|más)\b | (?:ver|vea|mira|mirá)\ también
    | (?:te|le)\ puede\ interesar | suscr[ií]b(?:ete|ase|ite)\b | s[ií]guenos | fuente\s*:
    | leia\ (?:também|mais) | veja\ (?:também|mais) | saiba\ mais | clique\ aqui | inscreva-se
    | siga-nos | fonte\s*: | leggi\ (?:anche|tutto) | vedi\ anche | potrebbe(?:ro)?\ interessar
    | iscriviti | abbonati\ (?:a|al|ora|per|subito)\b | seguici
    # Dutch, Swedish, Norwegian, Danish, Finnish, Polish
    | lees\ (?:ook|meer|verder)\b | bron\s*: | läs\ (?:också|mer|även)\b | l[eæ]s\ (?:også|mere?)\b
    | lue\ (?:myös|lisää) | (?:czytaj|zobacz|przeczytaj)\ (?:także|też|również|więcej)
    # Russian, Ukrainian
    | читайте\ (?:также|також|материал|ещё|еще|далее) | смотрите\ также | подписывайтесь
    | підписуйтесь | источник\s*: | джерело\s*:
    )""",
)
# These give a line away wherever in it they stand.
PHRASES = _compiled(
    r"""
    \bnewsletters?\b.*\b(?:sign(?:ing)?\ up|subscribe|subscribing|your\ inbox|abonnier\w+|anmelden
        |abonnez|inscrivez|suscr[ií]b[ea]\w*|assine|iscriviti|aanmelden)\b
    | \b(?:sign(?:ing)?\ up|subscribe|subscribing|abonnieren|abonnez|inscrivez|suscr[ií]b[ea]\w*
        |assine|iscriviti)\b.*\bnewsletters?\b
    | \b(?:in|to)\ your\ inbox\b | \bdelivered\ (?:to|through)\ your\ (?:inbox|phone|letterbox)\b
    | \bclick(?:ing)?\ here\b | \bhier\ klicken\b | \bcliquez\ ici\b | \bhaga\ clic\b
    | (?:\A|[.!?]\s+)follow\ [^.]{1,60}\ on
        \ (?:twitter|facebook|instagram|youtube|linkedin|x|tiktok)\b
    | \ball\ rights\ reserved\b | \bmaterial\ may\ not\ be\ (?:published|reproduced|copied)\b
    | \balle\ rechte\ vorbehalten\b | \btous\ droits\ réservés\b | \balle\ rechten\ voorbehouden\b
    | \btodos\ (?:los\ derechos|os\ direitos)\ reservados\b | \bвсе\ права\ защищены\b
    | \b(?:riproduzione\ riservata|diritti\ riservati)\b
    | \bcontribut(?:ed|ing)\ (?:reporting\b|to\ this\ (?:report|story|article|post))
    | \b(?:in\ \w+|and\ [\w.]+\ \w+)\ contributed\.?\Z
    | \b(?:contain|use|using|our|auto)\b[^.]*\baffiliate\ (?:links?|commissions?)\b
    | \bmay\ (?:earn|get|receive)\ (?:us\ )?an?\ (?:small\ )?(?:affiliate\ )?
        (?:commission|fee|share|portion)\b
    | \bpersonal,?\ non-?commercial\ use\b | \border\ (?:reprints|presentation-ready)\b
    | \Aan\ error\ (?:has\ )?occurred\W*(?:please|while|\Z)
    | \berror\ processing\ your\b | \bplease\ try\ again\b
    | \bwe['’]?d\ (?:like|love)\ to\ hear\ (?:from\ you|what\ you)\b
    | \bplease\ enable\ (?:javascript|cookies)\b | \bopens\ in\ (?:a\ )?new\ (?:window|tab)\b
    | \b(?:external\ links|view\ this\ post\ on\ instagram)\b
    | \byour\ e-?mail\ address\ will\ not\ be\b | \bakismet\b
    | \bsupport\ (?:our|local)\ journalism\b
    | \b(?:(?:bereits|schon)\ (?:abonnent(?:in)?|ein\ abo)|déjà\ abonnée?
        |ya\ (?:eres|es)\ suscriptora?|já\ é\ assinante|già\ abbonat[oa]|al\ abonnee
        |redan\ prenumerant|(?:allerede|er\ du)\ abonnent)\s*\?
    | \bvalid\ e-?mail\ address\b | \bcan\ be\ reached\ at\b | \bsend\ (?:him|her|us)\ a\ news\ tip
    | \b(?:reach|e-?mail|contact)\ (?:him|her|me)\ (?:at|on|via)\b
    | \bby\ (?:signing\ up|subscribing|submitting)\b.*\bagree
    | \bterms\ of\ (?:use|service)\b.*\bprivacy\b
    | \bprivacy\ policy\b.*\bterms\ of\ (?:use|service)\b
    | \A\W*(?:reach|contact|write\ to|e-?mail|tweet)\b.*(?:@|twitter|https?:)
    """,
)
