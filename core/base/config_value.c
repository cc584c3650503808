/* Reading one value: what all readers share, lists, words and text. Numbers are in
 * config_value_number.c, addresses in config_value_address.c. */
#include "core/base/config_value.h"

#include <stdarg.h>
#include <stdio.h>

PRINTF_LIKE(2, 3) bool value_refuse(struct config_value *v, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(v->why, sizeof v->why, format, ap);
    va_end(ap);
    return false;
}

PRINTF_LIKE(2, 3) bool value_mend(struct config_value *v, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(v->mend, sizeof v->mend, format, ap);
    va_end(ap);
    return false;
}

bool value_is(struct slice s, const char *word)
{
    return slice_eq(s, slice_str(word));
}

char *value_keep(struct config_value *v, struct slice s)
{
    char *p = arena_try(v->arena, s.len + 1);
    if (!p) {
        v->full = true;
        value_refuse(v, "is too long");
        value_mend(v, "shorten it");
        return NULL;
    }
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return p;
}

void *value_keep_array(struct config_value *v, size_t n, size_t size)
{
    void *p = arena_try(v->arena, n * size);
    if (!p) {
        v->full = true;
        value_refuse(v, "has too many items");
        value_mend(v, "shorten the list");
    }
    return p;
}

int value_word(const char *words, struct slice s)
{
    struct slice rest = slice_str(words);
    for (int i = 0; rest.len; i++) {
        size_t n = slice_find(rest, '|');
        if (slice_eq(slice_first(rest, n), s))
            return i;
        rest = slice_from(rest, n < rest.len ? n + 1 : n);
    }
    return -1;
}

bool value_mend_words(struct config_value *v, const char *words)
{
    char text[160];
    size_t n = 0;
    const char *last = strrchr(words, '|');
    for (const char *p = words; *p && n + 5 < sizeof text; p++) {
        const char *sign = p == last ? " or " : ", ";
        if (*p == '|')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", sign);
        else
            text[n++] = *p;
    }
    text[n] = '\0';
    return value_mend(v, "write %s", text);
}

/* --- lists --- */

unsigned value_items(struct slice s)
{
    unsigned n = s.len ? 1 : 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == ',';
    return n;
}

struct slice value_next(struct slice *rest)
{
    size_t n = slice_find(*rest, ',');
    struct slice item = slice_trim(slice_first(*rest, n));
    *rest = slice_from(*rest, n < rest->len ? n + 1 : n);
    return item;
}

bool value_check_items(struct config_value *v, const struct config_key *key, struct slice s)
{
    unsigned n = value_items(s);
    if (!v->unranged && n < key->min) {
        value_refuse(v, "is empty");
        return value_mend(v, "name at least one");
    }
    if (!v->unranged && key->max && n > key->max) {
        value_refuse(v, "has %u items", n);
        return value_mend(v, "name at most %u", (unsigned)key->max);
    }
    for (unsigned i = 0; i < n; i++) {
        if (value_next(&s).len)
            continue;
        value_refuse(v, "has an empty item");
        return value_mend(v, "put one comma between two items");
    }
    return true;
}

bool value_read_list(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    unsigned n = value_items(s);
    if (!value_check_items(v, key, s))
        return false;
    const char **items = value_keep_array(v, n, sizeof *items);
    if (!items)
        return false;
    for (unsigned i = 0; i < n; i++) {
        items[i] = value_keep(v, value_next(&s));
        if (!items[i])
            return false;
    }
    *(struct config_list *)to = (struct config_list){items, n};
    return true;
}

/* --- words --- */

bool value_read_bool(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    (void)key;
    if (!value_is(s, "yes") && !value_is(s, "no")) {
        value_refuse(v, SHOWN_FMT " is neither yes nor no", SHOWN_ARG(s));
        return value_mend(v, "write yes or no");
    }
    *(bool *)to = value_is(s, "yes");
    return true;
}

bool value_read_choice(struct config_value *v, const struct config_key *key, struct slice s,
                       void *to)
{
    int i = value_word(key->words, s);
    if (i < 0) {
        value_refuse(v, SHOWN_FMT " is not one of the choices", SHOWN_ARG(s));
        return value_mend_words(v, key->words);
    }
    *(unsigned *)to = (unsigned)i; /* an enum, whose type is unsigned */
    return true;
}

bool value_read_mechanisms(struct config_value *v, const struct config_key *key, struct slice s,
                           void *to)
{
    static const char words[] = "plain|login|scram-sha-256|scram-sha-256-plus|scram-sha-1|"
                                "scram-sha-1-plus|oauthbearer|xoauth2|external|cram-md5";
    if (!value_check_items(v, key, s))
        return false;
    uint32_t set = 0;
    while (s.len) {
        struct slice item = value_next(&s);
        int i = value_word(words, item);
        if (i < 0) {
            value_refuse(v, SHOWN_FMT " is not a mechanism", SHOWN_ARG(item));
            return value_mend_words(v, words);
        }
        set |= 1u << i;
    }
    *(uint32_t *)to = set;
    return true;
}

bool value_read_sources(struct config_value *v, const struct config_key *key, struct slice s,
                        void *to)
{
    static const char *const prefixes[] = {
        "", "passwd-file:", "pam:", "ldap:", "oauth:", "exec:", "http:"};
    unsigned n = value_items(s);
    if (!value_check_items(v, key, s))
        return false;
    struct config_source *items = value_keep_array(v, n, sizeof *items);
    if (!items)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct slice item = value_next(&s);
        unsigned kind = value_is(item, "catalog") ? SOURCE_CATALOG : SOURCE_PASSWD_FILE;
        while (kind && kind <= SOURCE_HTTP && !slice_starts(item, slice_str(prefixes[kind])))
            kind++;
        struct slice name = SLICE_NONE;
        if (kind && kind <= SOURCE_HTTP)
            name = slice_from(item, strlen(prefixes[kind]));
        if (kind > SOURCE_HTTP || (kind && name.len == 0) ||
            (kind == SOURCE_PASSWD_FILE && name.ptr[0] != '/')) {
            value_refuse(v, SHOWN_FMT " is not a source", SHOWN_ARG(item));
            return value_mend(
                v, "write catalog, passwd-file:/PATH, pam:SERVICE, ldap:NAME, oauth:NAME, "
                   "exec:NAME or http:NAME");
        }
        items[i].kind = (enum config_source_kind)kind;
        if (kind && !(items[i].name = value_keep(v, name)))
            return false;
    }
    *(struct config_sources *)to = (struct config_sources){items, n};
    return true;
}

/* --- text --- */

bool value_read_text(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    char *text = NULL;
    if (s.len == 0 && key->min && !v->unranged) {
        value_refuse(v, "is empty");
        return value_mend(v, "give a value or remove the line");
    }
    if (s.len && !(text = value_keep(v, s)))
        return false;
    *(const char **)to = text;
    return true;
}

bool value_read_path(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    if (s.len && s.ptr[0] != '/') {
        value_refuse(v, SHOWN_FMT " is not an absolute path", SHOWN_ARG(s));
        return value_mend(v, "begin it with /");
    }
    size_t max = key->max ? key->max : 4095;
    if (s.len > max) {
        value_refuse(v, "is a path of %zu octets", s.len);
        return value_mend(v, "at most %zu", max);
    }
    if (s.len == 0 && key->fallback[0]) {
        value_refuse(v, "is empty");
        return value_mend(v, "give a path or remove the line");
    }
    return value_read_text(v, key, s, to);
}

bool value_read_url(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    const char *colon = s.len ? memmem(s.ptr, s.len, "://", 3) : NULL;
    struct slice scheme = colon ? slice(s.ptr, (size_t)(colon - s.ptr)) : SLICE_NONE;
    bool good = s.len == 0 || (colon && value_word(key->words, scheme) >= 0);
    for (size_t i = 0; i < s.len; i++)
        good = good && s.ptr[i] > ' ' && s.ptr[i] < 0x7f;
    if (!good) {
        value_refuse(v, SHOWN_FMT " is not such a URL", SHOWN_ARG(s));
        return value_mend(v, "begin it with %.*s://", (int)strcspn(key->words, "|"), key->words);
    }
    return value_read_text(v, key, s, to);
}

/* Labels of letters, digits and inner hyphens (RFC 1123 section 2.1), 253 octets. */
static bool is_domain(struct slice s)
{
    size_t label = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.ptr[i]);
        bool edge = label == 0 || i + 1 == s.len || s.ptr[i + 1] == '.';
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (c == '.' && label > 0 && i + 1 < s.len)
            label = 0;
        else if ((letter || (c == '-' && !edge)) && label < 63)
            label++;
        else
            return false;
    }
    return s.len > 0 && s.len <= 253;
}

bool value_read_host(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    if (s.len && !is_domain(s)) {
        value_refuse(v, SHOWN_FMT " is not a domain name", SHOWN_ARG(s));
        return value_mend(v, "letters, digits and hyphens, such as mail.example.org");
    }
    return value_read_text(v, key, s, to);
}

bool value_read_char(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    (void)key;
    if (s.len > 1 || (s.len && !strchr("!#$&*+-/=?^_{|}~", s.ptr[0]))) {
        value_refuse(v, SHOWN_FMT " is not a separator", SHOWN_ARG(s));
        return value_mend(v, "write one character of ! # $ & * + - / = ? ^ _ { | } ~, or nothing");
    }
    *(char *)to = s.len ? s.ptr[0] : '\0';
    return true;
}

/* A word before the last colon, one behind it; lists of them are aliases and ages. */
static bool split(struct config_value *v, struct slice item, struct slice *ret_name,
                  struct slice *ret_rest)
{
    size_t n = item.len;
    while (n && item.ptr[n - 1] != ':')
        n--;
    *ret_name = slice_trim(slice_first(item, n ? n - 1 : 0));
    *ret_rest = slice_trim(slice_from(item, n));
    if (n && ret_name->len && ret_rest->len)
        return true;
    return value_refuse(v, SHOWN_FMT " is not understood", SHOWN_ARG(item));
}

bool value_read_aliases(struct config_value *v, const struct config_key *key, struct slice s,
                        void *to)
{
    unsigned n = value_items(s);
    if (!value_check_items(v, key, s))
        return false;
    struct config_pair *items = value_keep_array(v, n, sizeof *items);
    if (!items)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct slice item = value_next(&s);
        struct slice name;
        struct slice mailbox;
        if (!split(v, item, &name, &mailbox))
            return value_mend(v, "write NAME:MAILBOX, such as Sent Items:Sent");
        if (value_word("Sent|Drafts|Trash|Junk|Archive", mailbox) < 0) {
            value_refuse(v, SHOWN_FMT " is not a default mailbox", SHOWN_ARG(mailbox));
            return value_mend_words(v, "Sent|Drafts|Trash|Junk|Archive");
        }
        items[i].name = value_keep(v, name);
        items[i].value = items[i].name ? value_keep(v, mailbox) : NULL;
        if (!items[i].value)
            return false;
    }
    *(struct config_pairs *)to = (struct config_pairs){items, n};
    return true;
}

bool value_read_ages(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    unsigned n = value_items(s);
    if (!value_check_items(v, key, s))
        return false;
    struct config_age *items = value_keep_array(v, n, sizeof *items);
    if (!items)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct slice item = value_next(&s);
        struct slice name;
        struct slice age;
        uint64_t ms;
        if (!split(v, item, &name, &age))
            return value_mend(v, "write MAILBOX:AGE, such as Trash:30d");
        if (!value_time(age, false, &ms) || ms == 0 || ms / 1000 > UINT32_MAX) {
            value_refuse(v, SHOWN_FMT " is not an age", SHOWN_ARG(age));
            return value_mend(v, "write a number with s, m, h or d, such as 30d");
        }
        items[i].age_s = (uint32_t)(ms / 1000);
        if (!(items[i].mailbox = value_keep(v, name)))
            return false;
    }
    *(struct config_ages *)to = (struct config_ages){items, n};
    return true;
}

bool value_read_log_to(struct config_value *v, const struct config_key *key, struct slice s,
                       void *to)
{
    struct log_conf *log = to;
    struct slice path = SLICE_NONE;
    if (slice_starts(s, SLICE("file:")))
        path = slice_from(s, 5);
    else if (!value_is(s, "stderr") && !value_is(s, "journal"))
        value_refuse(v, SHOWN_FMT " is not a place for the log", SHOWN_ARG(s));
    if (path.ptr && (path.len == 0 || path.ptr[0] != '/'))
        value_refuse(v, SHOWN_FMT " is not an absolute path", SHOWN_ARG(path));
    if (v->why[0])
        return value_mend(v, "write stderr, journal or file:/PATH");
    const char *text = NULL;
    if (path.ptr && !value_read_text(v, key, path, &text))
        return false;
    log->path = text;
    log->to = path.ptr ? LOG_TO_FILE : value_is(s, "journal") ? LOG_TO_JOURNAL : LOG_TO_STDERR;
    return true;
}

static value_read *const readers[] = {
    [KIND_NUMBER] = value_read_number,   [KIND_SIZE] = value_read_size,
    [KIND_SHARE] = value_read_share,     [KIND_TIME_MS] = value_read_time_ms,
    [KIND_TIME_S] = value_read_time_s,   [KIND_SECONDS] = value_read_time_s,
    [KIND_BOOL] = value_read_bool,       [KIND_CHOICE] = value_read_choice,
    [KIND_TEXT] = value_read_text,       [KIND_PATH] = value_read_path,
    [KIND_URL] = value_read_url,         [KIND_HOST] = value_read_host,
    [KIND_CHAR] = value_read_char,       [KIND_MODE] = value_read_mode,
    [KIND_LIST] = value_read_list,       [KIND_ADDRESSES] = value_read_addresses,
    [KIND_LOCAL] = value_read_local,     [KIND_NETWORKS] = value_read_networks,
    [KIND_ALIASES] = value_read_aliases, [KIND_AGES] = value_read_ages,
    [KIND_SOURCES] = value_read_sources, [KIND_MECHANISMS] = value_read_mechanisms,
    [KIND_DELAY] = value_read_delay,     [KIND_DAYS] = value_read_days,
    [KIND_HIDE] = value_read_hide,       [KIND_DATE] = value_read_date,
    [KIND_BRAKE] = value_read_brake,     [KIND_LOG_TO] = value_read_log_to,
};

bool config_value_read(struct config_value *v, const struct config_key *key, struct slice text,
                       void *base)
{
    v->why[0] = v->mend[0] = '\0';
    text = text.len ? slice_trim(text) : SLICE("");
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) {
            value_refuse(v, "holds a control character");
            return value_mend(v, "remove it");
        }
    return readers[key->kind](v, key, text, (char *)base + key->offset);
}

bool config_list_has(const struct config_list *list, struct slice word)
{
    for (unsigned i = 0; i < list->n; i++)
        if (slice_ieq(slice_str(list->items[i]), word))
            return true;
    return false;
}
