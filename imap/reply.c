#include "imap/reply.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf7.h"
#include "core/net/conn.h"
#include "core/net/outq.h"
#include "imap/command.h"
#include "imap/quote.h"
#include "store/store.h"

/* --- pieces --------------------------------------------------------------------------------- */

void reply_end(struct reply *r)
{
    if (r->n)
        conn_send(r->conn, slice(r->text, r->n));
    r->n = 0;
    r->handed = true;
}

void reply_add_handing(struct reply *r, struct slice s)
{
    reply_end(r);
    if (s.len > sizeof r->text)
        conn_send(r->conn, s);
    else
        reply_add(r, s);
}

bool reply_full(struct reply *r)
{
    if (!r->handed)
        return false;
    r->handed = false;
    return conn_full(r->conn);
}

void reply_borrow(struct reply *r, struct slice s)
{
    reply_end(r);
    outq_borrow(conn_out(r->conn), s);
}

void reply_str(struct reply *r, const char *s)
{
    reply_add(r, slice_str(s));
}

void reply_u64(struct reply *r, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    for (; v > UINT32_MAX; v /= 10)
        text[--at] = (char)('0' + v % 10);
    uint32_t rest = (uint32_t)v; /* nearly all of them; a shorter division */
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    reply_add(r, slice(text + at, sizeof text - at));
}

void reply_string(struct reply *r, struct slice s)
{
    char text[2 * 512 + QUOTE_EXTRA];
    if (s.len <= 512) {
        reply_add(r, slice(text, quote_string(s, text)));
        return;
    }
    snprintf(text, sizeof text, "{%zu}\r\n", s.len);
    reply_str(r, text);
    reply_add(r, s);
}

void reply_mailbox(struct reply *r, struct slice s)
{
    enum { PATH_MAX_OCTETS = 480 };
    char wire[5 * PATH_MAX_OCTETS], text[2 * sizeof wire + QUOTE_EXTRA];
    size_t n = utf7_encode(slice_first(s, PATH_MAX_OCTETS), wire);
    reply_add(r, slice(text, quote_string(slice(wire, n), text)));
}

/* --- flags ---------------------------------------------------------------------------------- */

static const struct {
    struct slice name;
    uint8_t bit;
} system_flags[] = {
    {{"\\Answered", 9}, FLAG_ANSWERED},
    {{"\\Flagged", 8},  FLAG_FLAGGED },
    {{"\\Deleted", 8},  FLAG_DELETED },
    {{"\\Seen", 5},     FLAG_SEEN    },
    {{"\\Draft", 6},    FLAG_DRAFT   },
};

static void add_flag(struct reply *r, struct slice name, bool *any)
{
    if (*any)
        reply_add(r, SLICE(" "));
    reply_add(r, name);
    *any = true;
}

static bool add_flags(struct reply *r, const struct store_view *view, uint8_t sysflags, bool recent,
                      uint64_t keywords)
{
    bool any = false;
    for (size_t i = 0; sysflags && i < sizeof system_flags / sizeof *system_flags; i++)
        if (sysflags & system_flags[i].bit)
            add_flag(r, system_flags[i].name, &any);
    if (recent)
        add_flag(r, SLICE("\\Recent"), &any);
    for (unsigned i = 0; keywords; i++, keywords >>= 1) {
        struct slice name = keywords & 1 ? store_view_keyword(view, i) : SLICE_NONE;
        if (name.len)
            add_flag(r, name, &any);
    }
    return any;
}

void reply_flags(struct reply *r, const struct store_view *view, uint8_t sysflags, bool recent,
                 uint64_t keywords)
{
    reply_add(r, SLICE("("));
    add_flags(r, view, sysflags, recent, keywords);
    reply_add(r, SLICE(")"));
}

void reply_flag_table(struct reply *r, const struct store_view *view, bool read_only, bool full)
{
    enum { ALL = FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DELETED | FLAG_DRAFT };
    unsigned n = store_view_nkeywords(view);
    uint64_t keywords = n >= 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1;
    reply_str(r, "* FLAGS (");
    add_flags(r, view, ALL, false, keywords);
    reply_str(r, ")\r\n* OK [PERMANENTFLAGS (");
    if (!read_only) {
        add_flags(r, view, ALL, false, keywords);
        if (!full)
            reply_str(r, " \\*");
    }
    reply_str(r, read_only ? ")] Read-only\r\n" : ")] Flags kept\r\n");
}

/* --- errors --------------------------------------------------------------------------------- */

struct words {
    const char *cond, *code, *text;
};

static const struct words words[] = {
    [ERR_OK] = {"OK",  NULL,                   "Done"                                },
    [ERR_SYNTAX] = {"BAD", NULL,                   "Syntax error"                        },
    [ERR_STATE] = {"BAD", NULL,                   "Not valid in this state"             },
    [ERR_NOTFOUND] = {"NO",  "NONEXISTENT",          "No such mailbox"                     },
    [ERR_EXISTS] = {"NO",  "ALREADYEXISTS",        "It exists already"                   },
    [ERR_AUTH] = {"NO",  "AUTHENTICATIONFAILED", "Wrong name or password"              },
    [ERR_AUTHZ] = {"NO",  "AUTHORIZATIONFAILED",  "May not act as that user"            },
    [ERR_PRIVACY] = {"NO",  "PRIVACYREQUIRED",      "Use TLS first"                       },
    [ERR_OFF] = {"NO",  "CONTACTADMIN",         "This account may not use IMAP"       },
    [ERR_PERM] = {"NO",  "NOPERM",               "Not permitted"                       },
    [ERR_QUOTA] = {"NO",  "OVERQUOTA",            "Quota exceeded"                      },
    [ERR_TOOBIG] = {"NO",  "TOOBIG",               "Too big"                             },
    [ERR_LIMIT] = {"NO",  "LIMIT",                "A limit of the server was reached"   },
    [ERR_BUSY] = {"NO",  "INUSE",                "In use by another session"           },
    [ERR_DELAY] = {"NO",  "UNAVAILABLE",          "Try again later"                     },
    [ERR_GONE] = {"NO",  "EXPUNGEISSUED",        "Some messages have been expunged"    },
    [ERR_CANNOT] = {"NO",  "CANNOT",               "This can never be done"              },
    [ERR_BADCHARSET] = {"NO",  "BADCHARSET",           "Unknown charset"                     },
    [ERR_UNKNOWNCTE] = {"NO",  "UNKNOWN-CTE",          "Unknown content transfer encoding"   },
    [ERR_BADURL] = {"NO",  "BADURL",               "The URL cannot be resolved"          },
    [ERR_FULL] = {"NO",  "UNAVAILABLE",          "No room at present"                  },
    [ERR_AGAIN] = {"NO",  "UNAVAILABLE",          "Busy, try again"                     },
    [ERR_DOWN] = {"NO",  "UNAVAILABLE",          "Something this needs does not answer"},
    [ERR_FROZEN] = {"NO",  "UNAVAILABLE",          "The account is being moved"          },
    [ERR_CORRUPT] = {"NO",  "CORRUPTION",           "Stored data is damaged"              },
    [ERR_BUG] = {"NO",  "SERVERBUG",            "A mistake of the server"             },
};

static void tagged_line(struct conn *conn, struct slice tag, const char *cond, struct slice code,
                        const char *text)
{
    struct reply r;
    reply_begin(&r, conn);
    reply_add(&r, tag.len ? tag : SLICE("*"));
    reply_add(&r, SLICE(" "));
    reply_str(&r, cond);
    if (code.len) {
        reply_add(&r, SLICE(" ["));
        reply_add(&r, code);
        reply_add(&r, SLICE("]"));
    }
    reply_add(&r, SLICE(" "));
    reply_str(&r, text);
    reply_add(&r, SLICE("\r\n"));
    reply_end(&r);
}

void reply_error(struct conn *conn, struct slice tag, enum err e, const char *text)
{
    const struct words *w = &words[e];
    tagged_line(conn, tag, w->cond, slice_str(w->code), text ? text : w->text);
}

void reply_tagged(struct conn *conn, const struct command *c)
{
    const struct words *w = &words[c->err];
    struct slice code = c->code.len ? c->code : slice_str(w->code);
    if (c->err == ERR_NOTFOUND && !c->code.len && c->row && c->row->traits & CMD_TARGET)
        code = SLICE("TRYCREATE");
    tagged_line(conn, c->tag, w->cond, code, c->text ? c->text : w->text);
}

void reply_bye(struct conn *conn, const char *text)
{
    tagged_line(conn, SLICE_NONE, "BYE", SLICE_NONE, text);
}
