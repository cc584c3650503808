#include "cmd/setup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "core/base/mem.h"
#include "core/net/tls.h"

const char setup_default_config[] = "/etc/tandem/tandem.ini";

int setup_complain(const char *format, ...)
{
    va_list ap;
    char text[1024];
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
    return EXIT_FAILED;
}

static void print_errors(const struct config_errors *errs, const char *path)
{
    for (unsigned i = 0; i < errs->n; i++) {
        char line[1024];
        config_error_format(errs, i, line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    if (errs->left_out)
        fprintf(stderr, "%s: and %u more\n", path, errs->left_out);
}

struct config *setup_config(const char *path, setup_also *also)
{
    struct config_errors errs;
    struct config *config = NULL;
    config_errors_init(&errs);
    errs.also = also;
    enum err e = config_load(path, &config, &errs);
    print_errors(&errs, path);
    if (e && errs.n == 0)
        setup_complain("%s: %s", path, err_text(e));
    config_errors_finish(&errs);
    return e ? NULL : config;
}

unsigned setup_line(const struct config *config, const char *section, const char *key)
{
    struct config_key_info info;
    unsigned line = 0;
    for (unsigned i = 0; config_key_info(i, &info); i++)
        if (strcmp(info.section, section) == 0 && strcmp(info.key, key) == 0)
            (void)config_key_text(config, i, &line);
    return line;
}

int setup_mistake(const struct config *config, const char *section, const char *key,
                  const char *format, ...)
{
    char text[1024], line[16] = "";
    unsigned n = setup_line(config, section, key);
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n)
        snprintf(line, sizeof line, ":%u", n);
    return setup_complain("%s%s: %s.%s: %s", config->file, line, section, key, text);
}

/* --- what a start would find besides ------------------------------------------------------------
 */

static void not_here(const struct config *config, struct config_errors *errs, const char *section,
                     const char *key, const char *why, const char *mend)
{
    char label[72];
    snprintf(label, sizeof label, "%s.%s", section, key);
    config_error_add(errs, setup_line(config, section, key), label, why, mend);
}

/* What the table of keys has words for, and this version nothing behind them. */
static void check_words(const struct config *config, struct config_errors *errs)
{
    for (unsigned i = 0; i < config->auth.sources.n; i++)
        if (config->auth.sources.items[i].kind != SOURCE_CATALOG) {
            not_here(config, errs, "auth", "sources",
                     "this version has accounts in its catalog only",
                     "write 'catalog' and bring accounts in with 'tandem user import'");
            break;
        }
    for (unsigned bit = MECH_PLAIN; bit <= MECH_CRAM_MD5; bit <<= 1)
        if ((config->auth.mechanisms & bit) && !auth_mechanism_known(bit)) {
            not_here(config, errs, "auth", "mechanisms",
                     "this version has plain, login, scram-sha-256, scram-sha-1 and their -plus "
                     "forms",
                     "leave the others out");
            break;
        }
    if (config->daemon.metrics)
        not_here(config, errs, "daemon", "metrics",
                 "this version prints metrics by 'tandem stats' alone", "leave the key out");
}

static bool is_told(const struct config_errors *errs, const char *why)
{
    for (unsigned i = 0; i < errs->n; i++)
        if (strcmp(errs->items[i].why, why) == 0)
            return true;
    return false;
}

/* The last first: [tls] serves the pairs of all others, and what is wrong with one is told there.
 */
static void check_certificates(const struct config *config, struct config_errors *errs)
{
    for (unsigned i = config->n_tls; i--;) {
        const struct config_tls_profile *profile = &config->tls[i];
        struct tls_creds *creds = NULL;
        struct fault why = {0};
        char label[48];
        enum err e = tls_creds_load(config, profile->name, &creds, &why);
        tls_creds_unref(creds);
        if (!e || e == ERR_NOTFOUND || is_told(errs, why.text)) /* none is named: TLS is off */
            continue;
        snprintf(label, sizeof label, "[tls%s%s]", profile->name[0] ? " " : "", profile->name);
        config_error_add(errs, profile->line, label, why.text, "");
    }
}

void setup_check(const struct config *config, struct config_errors *errs)
{
    check_words(config, errs);
    check_certificates(config, errs);
}

void setup_check_if_wrong(const struct config *config, struct config_errors *errs)
{
    if (errs->n)
        setup_check(config, errs);
}

/* --- the store -------------------------------------------------------------------------------- */

static char *joined(const struct config_list *list)
{
    size_t n = 1;
    for (unsigned i = 0; i < list->n; i++)
        n += strlen(list->items[i]) + 1;
    char *text = mem_new(n);
    for (unsigned i = 0; i < list->n; i++) {
        if (i)
            strcat(text, ",");
        strcat(text, list->items[i]);
    }
    return text;
}

void setup_store_conf(const struct config *config, struct store_conf *ret, char **ret_allow_fs)
{
    *ret_allow_fs = joined(&config->store.allow_fs);
    *ret = (struct store_conf){.path = config->store.path,
                               .shards = config->store.shards,
                               .map_size = config->store.map_size,
                               .reserve = config->store.reserve.octets,
                               .allow_fs = *ret_allow_fs,
                               .log_days = config->store.log_days,
                               .log_rows = config->store.log_rows};
}

static enum err default_domain(struct store *store, struct slice domain)
{
    struct store_reader *reader;
    enum err e = store_reader_new(store, NULL, &reader);
    if (e)
        return e;
    e = store_domain_find(reader, domain);
    store_reader_free(reader);
    if (e != ERR_NOTFOUND)
        return e;
    struct store_wait *wait = store_wait_new();
    store_domain_create(store, domain, store_wait_to(wait));
    e = store_wait(wait, NULL);
    return e == ERR_EXISTS ? ERR_OK : e;
}

bool setup_store_open(const struct config *config, bool read_only, struct store **ret)
{
    struct store_conf conf;
    struct store *store;
    struct fault why = {0};
    char *allow_fs;
    setup_store_conf(config, &conf, &allow_fs);
    conf.read_only = read_only;
    enum err e = store_open(&conf, &store, &why);
    mem_free(allow_fs);
    if (e) {
        setup_mistake(config, "store", "path", "%s: %s", config->store.path,
                      why.text[0] ? why.text : err_text(e));
        return false;
    }
    store_set_config(store, config);
    if (!read_only) {
        e = default_domain(store, slice_str(config->tandem.default_domain));
        if (e) {
            setup_complain("%s: the default domain '%s' cannot be made: %s", config->store.path,
                           config->tandem.default_domain, err_text(e));
            store_close(store);
            return false;
        }
    }
    *ret = store;
    return true;
}
