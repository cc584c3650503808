/* UTF8 and LANG (RFC 6856). */
#include "pop3/command.h"
#include "pop3/session.h"

/* Messages leave as they are in either mode. RFC 6856 section 2.1 wants a surrogate or an -ERR for
 * a header with 8-bit octets that was not asked for, and calls neither satisfactory: an old client
 * would stop at that message for ever, or be given octets that have neither the size of LIST nor
 * the signature of their author. Nearly every such message came to a client that copes with it; the
 * command promises that it is wanted. */
enum step pop3_utf8(struct pop3_session *s)
{
    s->utf8 = true;
    pop3_ok(s, "UTF-8 mode");
    return STEP_DONE;
}

/* All text is English in ASCII, which is what i-default asks for (RFC 2277 section 4.5). */
static const struct language {
    const char *tag, *name;
} languages[] = {
    {"en",        "English"         },
    {"i-default", "Default language"},
};

/* The longest tag that the range begins with, cut at a hyphen (RFC 4647 section 3.4). */
static const struct language *language_find(struct slice range)
{
    if (slice_eq(range, SLICE("*")))
        return &languages[0];
    while (range.len) {
        for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
            if (slice_ieq(range, slice_str(languages[i].tag)))
                return &languages[i];
        do
            range.len--;
        while (range.len && range.ptr[range.len] != '-');
    }
    return NULL;
}

enum step pop3_lang(struct pop3_session *s)
{
    struct slice range = slice_trim(s->args.text);
    if (range.len) {
        const struct language *language = language_find(range);
        if (!language)
            return pop3_fail_text(s, ERR_CANNOT, "no such language");
        pop3_ok(s, "%s %s from now on", language->tag, language->name);
        return STEP_DONE;
    }
    pop3_ok(s, "languages follow");
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        conn_printf(s->conn, "%s %s\r\n", languages[i].tag, languages[i].name);
    conn_send(s->conn, SLICE(".\r\n"));
    return STEP_DONE;
}
