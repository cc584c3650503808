/* What is wrong only when several keys are seen together. Each key by itself is good here, or was
 * reported and has its default. */
#include <stdio.h>

#include "core/base/config_key.h"
#include "core/base/fault.h"

static void wrong(const struct config *c, struct config_errors *errs, const char *section,
                  const char *key, const char *why, const char *mend)
{
    char label[72];
    unsigned line;
    config_key_text(c, (unsigned)(config_key_find(section, key) - config_keys), &line);
    snprintf(label, sizeof label, "%s.%s", section, key);
    config_error_add(errs, line, label, why, mend);
}

static void wrong_in(struct config_errors *errs, const char *section, const char *name,
                     unsigned line, const char *key, const char *why, const char *mend)
{
    char label[112];
    snprintf(label, sizeof label, "%s%s%s%s%s", section, name[0] ? " " : "", name,
             key[0] ? "." : "", key);
    config_error_add(errs, line, label, why, mend);
}

static bool has_profile(const struct config *c, const char *name)
{
    for (unsigned i = 1; i < c->n_tls; i++)
        if (strcmp(c->tls[i].name, name) == 0)
            return true;
    return false;
}

/* Both numbers are bounded: 64 sections of 16 addresses. */
static void check_address(const struct config *c, struct config_errors *errs, unsigned at,
                          unsigned item)
{
    const struct config_listen *mine = &c->listen[at];
    for (unsigned i = 0; i <= at; i++) {
        const struct config_listen *other = &c->listen[i];
        for (unsigned k = 0; k < (i < at ? other->address.n : item); k++) {
            if (strcmp(other->address.items[k], mine->address.items[item]) != 0)
                continue;
            char why[200];
            snprintf(why, sizeof why, "%s is taken by [listen %s]", mine->address.items[item],
                     other->name);
            wrong_in(errs, "listen", mine->name, mine->line, "address", why,
                     "give each listener addresses of its own");
            return;
        }
    }
}

static void check_listen(const struct config *c, struct config_errors *errs)
{
    for (unsigned i = 0; i < c->n_listen; i++) {
        const struct config_listen *l = &c->listen[i];
        for (unsigned k = 0; k < l->address.n; k++)
            check_address(c, errs, i, k);
        if (l->tls_profile && !has_profile(c, l->tls_profile))
            wrong_in(errs, "listen", l->name, l->line, "tls_profile", "there is no such profile",
                     "add a section [tls NAME] of that name");
        if (l->tls_profile && l->tls == CONFIG_TLS_NONE)
            wrong_in(errs, "listen", l->name, l->line, "tls_profile", "this listener has no TLS",
                     "add tls = starttls or tls = implicit");
    }
}

static void check_tls(const struct config *c, struct config_errors *errs)
{
    for (unsigned i = 0; i < c->n_tls; i++) {
        const struct config_tls_profile *t = &c->tls[i];
        if (t->certificate && !t->key)
            wrong_in(errs, "tls", t->name, t->line, "key", "the certificate has no key",
                     "name the file of its private key");
        if (t->key && !t->certificate)
            wrong_in(errs, "tls", t->name, t->line, "certificate", "the key has no certificate",
                     "name the file of the certificate");
    }
}

static bool source_known(const struct config *c, const struct config_source *s)
{
    switch (s->kind) {
    case SOURCE_LDAP:
        for (unsigned i = 0; i < c->n_ldap; i++)
            if (strcmp(c->ldap[i].name, s->name) == 0)
                return true;
        return false;
    case SOURCE_OAUTH:
        for (unsigned i = 0; i < c->n_oauth; i++)
            if (strcmp(c->oauth[i].name, s->name) == 0)
                return true;
        return false;
    case SOURCE_EXEC:
    case SOURCE_HTTP:
        for (unsigned i = 0; i < c->n_hook; i++)
            if (strcmp(c->hook[i].name, s->name) == 0)
                return s->kind == SOURCE_EXEC ? c->hook[i].command != NULL : c->hook[i].url != NULL;
        return false;
    case SOURCE_CATALOG:
    case SOURCE_PASSWD_FILE:
    case SOURCE_PAM:
        return true;
    }
    return false;
}

static void check_auth(const struct config *c, struct config_errors *errs)
{
    static const char *const mends[] = {
        [SOURCE_LDAP] = "add a section [ldap NAME] of that name",
        [SOURCE_OAUTH] = "add a section [oauth NAME] of that name",
        [SOURCE_EXEC] = "add a section [hook NAME] of that name with a command",
        [SOURCE_HTTP] = "add a section [hook NAME] of that name with a url",
    };
    for (unsigned i = 0; i < c->auth.sources.n; i++) {
        const struct config_source *s = &c->auth.sources.items[i];
        if (source_known(c, s))
            continue;
        char why[200];
        snprintf(why, sizeof why, "there is no '%s' for this source", s->name);
        wrong(c, errs, "auth", "sources", why, mends[s->kind]);
    }
    for (unsigned i = 0; i < c->n_oauth; i++)
        if (!c->oauth[i].jwks && !c->oauth[i].introspection)
            wrong_in(errs, "oauth", c->oauth[i].name, c->oauth[i].line, "",
                     "tokens cannot be checked", "give jwks or introspection");
    for (unsigned i = 0; i < c->n_hook; i++)
        if (!c->hook[i].command == !c->hook[i].url)
            wrong_in(errs, "hook", c->hook[i].name, c->hook[i].line, "",
                     c->hook[i].url ? "it has both command and url"
                                    : "it has neither command nor url",
                     "give one of the two");
    if (c->auth.master_separator == '+')
        wrong(c, errs, "auth", "master_separator", "it stands before a folder in a login",
              "use another character");
}

static void check_limits(const struct config *c, struct config_errors *errs)
{
    if (c->limits.line_preauth < c->limits.sasl + 512) /* AUTHENTICATE with an initial response */
        wrong(c, errs, "limits", "line_preauth", "the first line of a SASL exchange does not fit",
              "at least [limits] sasl and 512 octets");
    if (c->limits.command_preauth < c->limits.line_preauth + c->limits.literal_preauth)
        wrong(c, errs, "limits", "command_preauth", "a line and a literal do not fit",
              "at least line_preauth and literal_preauth together");
    if (c->limits.command < c->limits.line + c->limits.literal)
        wrong(c, errs, "limits", "command", "a line and a literal do not fit",
              "at least line and literal together");
}

static void check_paths(const struct config *c, struct config_errors *errs)
{
    bool too_long = strlen(c->daemon.control) > CONFIG_UNIX_PATH_MAX;
    for (unsigned i = 0; c->default_listen && i < c->n_listen; i++)
        for (unsigned k = 0; k < c->listen[i].address.n; k++)
            too_long = too_long || strlen(c->listen[i].address.items[k]) >
                                       CONFIG_UNIX_PATH_MAX + strlen("unix:");
    if (too_long)
        wrong(c, errs, "store", "path", "it is too long for the sockets in it",
              "choose a shorter path, or set [daemon] control and the lmtp listener");
}

/* --- keys of [pop3] that contradict each other ---------------------------------------------------
 */

/* UIDs of two mailboxes may be the same (RFC 1939 section 7: unique within a maildrop). */
static bool uidls_clash(const struct settings *s)
{
    return s->pop3.uidl_format == UIDL_UID && s->pop3.folders.n > 1;
}

/* EXPIRE 0 is an implicit DELE (RFC 2449 section 6.7), and DELE does nothing. */
static bool nothing_may_stay_or_go(const struct settings *s)
{
    return s->pop3.expire_days == 0 && s->pop3.delete_mode == POP3_DELETE_KEEP;
}

static bool shows_its_trash(const struct settings *s)
{
    return s->pop3.delete_mode == POP3_DELETE_TRASH &&
           config_list_has(&s->pop3.folders, SLICE("Trash"));
}

static const struct clash {
    bool (*holds)(const struct settings *s);
    const char *key, *other; /* of [pop3] */
    const char *why, *mend;
} clashes[] = {
    {uidls_clash,            "uidl_format", "folders", "uid is not unique over several folders",
     "name one folder or choose another format"                                                                                                                 },
    {nothing_may_stay_or_go, "expire",      "delete",
     "0 removes what was downloaded, and keep removes nothing",                                        "let mail stay for some days, or choose delete = expunge"},
    {shows_its_trash,        "delete",      "folders", "what is moved to Trash would be listed again",
     "leave Trash out of the folders, or choose delete = expunge"                                                                                               },
};

enum err config_settings_check(const struct settings *s, struct fault *why)
{
    for (size_t i = 0; i < sizeof clashes / sizeof *clashes; i++)
        if (clashes[i].holds(s))
            return fault(why, ERR_CANNOT, "pop3.%s, pop3.%s: %s; %s", clashes[i].key,
                         clashes[i].other, clashes[i].why, clashes[i].mend);
    return ERR_OK;
}

/* At the line of the one, naming that of the other. */
static void check_settings(const struct config *c, struct config_errors *errs)
{
    for (size_t i = 0; i < sizeof clashes / sizeof *clashes; i++) {
        const struct clash *clash = &clashes[i];
        char why[160];
        unsigned line;
        if (!clash->holds(&c->settings))
            continue;
        config_key_text(c, (unsigned)(config_key_find("pop3", clash->other) - config_keys), &line);
        snprintf(why, sizeof why, "%s (pop3.%s, line %u)", clash->why, clash->other, line);
        wrong(c, errs, "pop3", clash->key, why, clash->mend);
    }
}

void config_check(const struct config *c, struct config_errors *errs)
{
    check_listen(c, errs);
    check_tls(c, errs);
    check_auth(c, errs);
    check_limits(c, errs);
    check_paths(c, errs);
    check_settings(c, errs);
}
