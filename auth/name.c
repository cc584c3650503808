/* Names of accounts, as they are typed at a login and written in a RCPT:
 *
 *   login  = [ "recent:" ] local [ "+" detail ] [ "@" domain ] [ "*" master | "%" token | "@@" time
 * ]
 *
 * Neither "*" nor "%" may stand in a local part, a detail or a domain, so the suffix is what
 * follows the first of them; of the rest the domain is what follows the last "@", and the detail
 * what follows the first "+" before that. Split first, look up after: no part of a name reaches a
 * key or a log before it is in its normal form here. */
#include "auth/auth.h"

#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>

#include "core/base/arena.h"
#include "core/base/utf8.h"

enum {
    LOCAL_MAX = 64,
    DOMAIN_MAX = 253,
    LABEL_MAX = 63,
    DETAIL_MAX = 480,
    WHOLE_MAX = LOCAL_MAX + 1 + DETAIL_MAX, /* local, separator, detail */
    TOKEN_MAX = 64,
    NAME_MAX_OCTETS = 2048 /* all parts with a master's, before anything is looked at */
};

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 1035 section 2.3.1 as RFC 1123 section 2.1 loosens it: letters, digits, hyphens within.
 * IDNs come as A-labels. */
bool auth_domain_valid(struct slice s)
{
    if (s.len == 0 || s.len > DOMAIN_MAX)
        return false;
    while (s.len) {
        size_t n = slice_find(s, '.');
        if (n == 0 || n > LABEL_MAX || s.ptr[0] == '-' || s.ptr[n - 1] == '-')
            return false;
        for (size_t i = 0; i < n; i++)
            if (!is_alnum(s.ptr[i]) && s.ptr[i] != '-')
                return false;
        if (n == s.len)
            return true;
        s = slice_from(s, n + 1);
    }
    return false; /* a dot at the end */
}

/* Letters and the marks that some scripts cannot do without; beyond ASCII nothing else. */
static bool local_octet_or_letter(uint32_t c)
{
    if (c < 0x80)
        return is_alnum((char)c) || (c && strchr("._=-'&", (int)c));
    return uc_is_general_category(c, UC_LETTER) || uc_is_general_category(c, UC_MARK);
}

static bool may_end_local(char c)
{
    return c != '.' && local_octet_or_letter((unsigned char)c);
}

static bool local_valid(struct slice s)
{
    if (s.len == 0 || s.len > LOCAL_MAX || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.')
        return false;
    bool dot = false;
    while (s.len) {
        uint32_t c;
        unsigned n = utf8_first(s, &c);
        if (n == 0 || !local_octet_or_letter(c) || (dot && c == '.'))
            return false;
        dot = c == '.';
        s = slice_from(s, n);
    }
    return true;
}

static bool detail_valid(struct slice s)
{
    if (s.len > DETAIL_MAX || !utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool token_valid(struct slice s)
{
    if (s.len == 0 || s.len > TOKEN_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]))
            return false;
    return true;
}

static void lower(struct slice s)
{
    char *p = (char *)s.ptr; /* fresh from the arena */
    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(p[i]);
}

/* NFC, so that one name typed on two systems is one account. Of a local part, also with its detail.
 */
static enum err normal_local(struct slice s, struct arena *arena, struct slice *ret)
{
    bool ascii = true;
    for (size_t i = 0; i < s.len; i++)
        ascii = ascii && (unsigned char)s.ptr[i] < 0x80;
    if (ascii) {
        *ret = s;
        return ERR_OK;
    }
    if (s.len > WHOLE_MAX || !utf8_valid(s))
        return ERR_SYNTAX;
    uint8_t text[4 * WHOLE_MAX]; /* NFC at most triples UTF-8 */
    size_t len = sizeof text;
    uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)s.ptr, s.len, text, &len);
    if (nfc != text) { /* it was too small after all, and another was made */
        free(nfc);
        return ERR_SYNTAX;
    }
    *ret = arena_dup(arena, slice(text, len));
    return ret->ptr ? ERR_OK : ERR_LIMIT;
}

/* local [ separator detail ] [ "@" domain ] */
static enum err parse_address(struct slice s, struct slice default_domain, char separator,
                              struct arena *arena, struct slice *ret_login,
                              struct slice *ret_detail)
{
    size_t at = s.len;
    while (at && s.ptr[at - 1] != '@')
        at--;
    struct slice domain = at ? slice_from(s, at) : default_domain;
    struct slice local = at ? slice_first(s, at - 1) : s, detail = SLICE_NONE;
    size_t end = separator ? slice_find(local, separator) : local.len;
    /* "mary-" is a name, where "-" stands before details too. */
    bool last = end + 1 == local.len && may_end_local(separator);
    if (end && end < local.len && !last) { /* before it there is a name */
        detail = slice_from(local, end + 1);
        local = slice_first(local, end);
    }
    enum err e = normal_local(local, arena, &local);
    if (e)
        return e;
    if (!local_valid(local) || !detail_valid(detail) || !auth_domain_valid(domain))
        return ERR_SYNTAX;

    char *login = arena_try(arena, local.len + 1 + domain.len + 1);
    if (!login)
        return ERR_LIMIT;
    memcpy(login, local.ptr, local.len);
    login[local.len] = '@';
    memcpy(login + local.len + 1, domain.ptr, domain.len);
    *ret_login = slice(login, local.len + 1 + domain.len);
    lower(*ret_login);
    *ret_detail = SLICE_NONE;
    if (detail.len) {
        *ret_detail = arena_dup(arena, detail);
        if (!ret_detail->ptr)
            return ERR_LIMIT;
    }
    return ERR_OK;
}

enum err auth_address_parse(struct slice address, struct slice default_domain, char separator,
                            struct arena *arena, struct auth_name *ret)
{
    struct auth_name name = {0};
    if (address.len > NAME_MAX_OCTETS)
        return ERR_SYNTAX;
    enum err e =
        parse_address(address, default_domain, separator, arena, &name.login, &name.detail);
    if (e)
        return e;
    *ret = name;
    return ERR_OK;
}

enum err auth_address_whole(const struct auth_name *name, char separator, struct arena *arena,
                            struct slice *ret)
{
    *ret = name->login;
    if (!name->detail.len)
        return ERR_OK;
    size_t at = slice_find(name->login, '@');
    struct slice domain = slice_from(name->login, at), local;
    char *whole = arena_try(arena, at + 1 + name->detail.len);
    if (!whole)
        return ERR_LIMIT;
    memcpy(whole, name->login.ptr, at);
    whole[at] = separator;
    memcpy(whole + at + 1, name->detail.ptr, name->detail.len);
    enum err e = normal_local(slice(whole, at + 1 + name->detail.len), arena, &local);
    if (e)
        return e;
    char *address = arena_try(arena, local.len + domain.len);
    if (!address)
        return ERR_LIMIT;
    memcpy(address, local.ptr, local.len);
    memcpy(address + local.len, domain.ptr, domain.len);
    *ret = slice(address, local.len + domain.len);
    lower(*ret);
    return ERR_OK;
}

enum err auth_name_parse(struct slice text, struct slice default_domain, char master_separator,
                         struct arena *arena, struct auth_name *ret)
{
    struct auth_name name = {0};
    if (text.len > NAME_MAX_OCTETS)
        return ERR_SYNTAX;
    if (slice_istarts(text, SLICE("recent:"))) {
        name.recent = true;
        text = slice_from(text, sizeof "recent:" - 1);
    }
    size_t end = 0;
    while (end < text.len && text.ptr[end] != '%' &&
           (!master_separator || text.ptr[end] != master_separator))
        end++;
    struct slice address = slice_first(text, end), suffix = SLICE_NONE;
    if (end < text.len) {
        suffix = slice_from(text, end + 1);
        struct slice ignored;
        enum err e = ERR_OK;
        if (text.ptr[end] != '%') {
            e = parse_address(suffix, default_domain, AUTH_DETAIL, arena, &name.master, &ignored);
            if (!e && ignored.len) /* a master has no mailboxes of its own here */
                e = ERR_SYNTAX;
        } else if (token_valid(suffix)) {
            name.token = arena_dup(arena, suffix);
            e = name.token.ptr ? ERR_OK : ERR_LIMIT;
        } else {
            e = ERR_SYNTAX;
        }
        if (e)
            return e;
    }
    enum err e =
        parse_address(address, default_domain, AUTH_DETAIL, arena, &name.login, &name.detail);
    if (e)
        return e;
    *ret = name;
    return ERR_OK;
}
