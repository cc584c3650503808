/* core/base/config.h: any text gives a config or errors, and each error can be shown. The first
 * line is also tried as the override "section.key=value". */
#include "core/base/config.h"

#include "core/base/fault.h"
#include "tests/fuzz/fuzz.h"

static void parse(struct slice text)
{
    struct config *c = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    enum err e = config_parse(text, "fuzz.ini", &c, &errs);
    FUZZ_ASSERT((e == ERR_OK) == (c != NULL));
    FUZZ_ASSERT((e == ERR_OK) == (errs.n == 0));
    for (unsigned i = 0; i < errs.n; i++) {
        char line[600];
        config_error_format(&errs, i, line, sizeof line);
        FUZZ_ASSERT(errs.items[i].why[0] && errs.items[i].mend[0]);
    }
    if (c) {
        FUZZ_ASSERT(c->n_listen > 0 && c->n_tls > 0 && c->tandem.hostname && c->daemon.control);
        FUZZ_ASSERT(c->settings.pop3.folders.n > 0);
    }
    config_unref(c);
    config_errors_finish(&errs);
}

static void override(struct slice line)
{
    struct config *c;
    struct arena a;
    struct fault why;
    config_default(&c);
    arena_init(&a, 4096);
    size_t eq = slice_find(line, '=');
    struct settings s = c->settings;
    struct slice value = slice_from(line, eq < line.len ? eq + 1 : eq);
    if (config_override(&s, slice_first(line, eq), value, &a, &why) != ERR_OK)
        FUZZ_ASSERT(memcmp(&s, &c->settings, sizeof s) == 0 && why.text[0]);
    arena_reset(&a);
    config_unref(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice(data, size);
    parse(text);
    override(slice_first(text, slice_find(text, '\n')));
    return 0;
}
