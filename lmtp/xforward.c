/* XFORWARD: what the client knows of the message's way to it (Postfix, XFORWARD_README). It holds
 * for the next transaction. Only trusted clients can connect at all. */
#include <arpa/inet.h>
#include <assert.h>

#include "core/base/hex.h"
#include "lmtp/command.h"
#include "lmtp/session.h"

enum { VALUE_MAX = 255 };

/* --- attributes: false for a value that cannot be ------------------------------------------------
 */

static bool address(struct lmtp_forward *f, const char *value)
{
    const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    f->has_address = *value != '\0';
    if (!f->has_address)
        return true;
    if (slice_istarts(slice_str(value), SLICE("IPv6:")))
        return inet_pton(AF_INET6, value + 5, f->address) == 1;
    memcpy(f->address, mapped, sizeof mapped);
    return inet_pton(AF_INET, value, f->address + sizeof mapped) == 1;
}

static bool helo(struct lmtp_forward *f, const char *value)
{
    memcpy(f->helo, value, strlen(value) + 1);
    return true;
}

static bool ident(struct lmtp_forward *f, const char *value)
{
    memcpy(f->ident, value, strlen(value) + 1);
    return true;
}

static bool port(struct lmtp_forward *f, const char *value)
{
    uint64_t number;
    (void)f;
    return !*value || slice_u64(slice_str(value), UINT16_MAX, &number);
}

static bool source(struct lmtp_forward *f, const char *value)
{
    (void)f;
    return !*value || slice_ieq(slice_str(value), SLICE("LOCAL")) ||
           slice_ieq(slice_str(value), SLICE("REMOTE"));
}

/* Told, and of no use here. */
static bool unused(struct lmtp_forward *f, const char *value)
{
    (void)f, (void)value;
    return true;
}

/* name, its reader; "" stands for "not known" */
static const struct attribute {
    const char *name;
    bool (*read)(struct lmtp_forward *f, const char *value);
} attributes[] = {
    {"ADDR",   address},
    {"HELO",   helo   },
    {"IDENT",  ident  },
    {"NAME",   unused },
    {"PORT",   port   },
    {"PROTO",  unused },
    {"SOURCE", source },
};

static_assert(sizeof((struct lmtp_forward *)NULL)->helo > VALUE_MAX, "a value fits");
static_assert(sizeof((struct lmtp_forward *)NULL)->ident > VALUE_MAX, "a value fits");

/* xtext (RFC 3461 section 4) to text; `to` has room for VALUE_MAX octets and a NUL. */
static bool decode(struct slice xtext, char *to)
{
    size_t n = 0;
    if (slice_ieq(xtext, SLICE("[UNAVAILABLE]")) || slice_ieq(xtext, SLICE("[TEMPUNAVAIL]")))
        xtext = SLICE_NONE;
    for (size_t i = 0; i < xtext.len; i++) {
        unsigned char c = (unsigned char)xtext.ptr[i];
        if (c == '+' && !(i + 2 < xtext.len && hex_decode(slice(xtext.ptr + i + 1, 2), &c)))
            return false;
        if (xtext.ptr[i] == '+')
            i += 2;
        if (c <= ' ' || c == 0x7f || n == VALUE_MAX)
            return false;
        to[n++] = (char)c;
    }
    to[n] = '\0';
    return true;
}

static bool read_attribute(struct slice word, struct lmtp_forward *f)
{
    char value[VALUE_MAX + 1];
    size_t n = slice_find(word, '=');
    if (n == word.len || !decode(slice_from(word, n + 1), value))
        return false;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (slice_ieq(slice_first(word, n), slice_str(attributes[i].name)))
            return attributes[i].read(f, value);
    return false;
}

enum step lmtp_xforward(struct lmtp_session *s)
{
    struct lmtp_forward f = s->forward;
    struct slice rest = s->args.text;
    if (rest.len == 0)
        return lmtp_fail(s, ERR_SYNTAX);
    while (rest.len) {
        size_t n = slice_find(rest, ' ');
        if (n && !read_attribute(slice_first(rest, n), &f))
            return lmtp_fail(s, ERR_SYNTAX);
        rest = slice_from(rest, n < rest.len ? n + 1 : n);
    }
    s->forward = f;
    lmtp_say(s, "250 2.0.0 ok");
    return STEP_DONE;
}
