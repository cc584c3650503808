/* Private to config_value*.c: the readers of values, and what they share. Every reader writes its
 * field only when all is well, and otherwise says what is wrong and what to write instead. */
#ifndef TANDEM_BASE_CONFIG_VALUE_H
#define TANDEM_BASE_CONFIG_VALUE_H

#include "core/base/config_key.h"

typedef bool value_read(struct config_value *v, const struct config_key *key, struct slice s,
                        void *to);

value_read value_read_number, value_read_size, value_read_share, value_read_time_ms,
    value_read_time_s, value_read_delay, value_read_days, value_read_hide, value_read_brake,
    value_read_date, value_read_mode, value_read_bool, value_read_choice, value_read_mechanisms,
    value_read_sources, value_read_text, value_read_path, value_read_url, value_read_host,
    value_read_char, value_read_aliases, value_read_ages, value_read_log_to, value_read_addresses,
    value_read_local, value_read_networks, value_read_list;

/* Both return false: `refuse(v, ...); return mend(v, ...);`. */
bool value_refuse(struct config_value *v, const char *format, ...) PRINTF_LIKE(2, 3);
bool value_mend(struct config_value *v, const char *format, ...) PRINTF_LIKE(2, 3);
bool value_mend_words(struct config_value *v, const char *words); /* "a, b or c" from "a|b|c" */

/* 'text', cut to what a line can bear. */
#define SHOWN_FMT "'%.*s%s'"
#define SHOWN_ARG(s) (int)((s).len < 60 ? (s).len : 60), (s).ptr, (s).len > 60 ? "..." : ""

bool value_is(struct slice s, const char *word);
int value_word(const char *words, struct slice s); /* position among "a|b|c", or -1 */

/* Into the arena; NULL when it is full, which has been said. */
char *value_keep(struct config_value *v, struct slice s);
void *value_keep_array(struct config_value *v, size_t n, size_t size);

/* Lists: items between commas, blanks around them do not count. */
unsigned value_items(struct slice s);
struct slice value_next(struct slice *rest);
bool value_check_items(struct config_value *v, const struct config_key *key, struct slice s);

/* A time in ms. Without a unit only 0, unless `bare` allows seconds. */
bool value_time(struct slice s, bool bare, uint64_t *ret_ms);

#endif
