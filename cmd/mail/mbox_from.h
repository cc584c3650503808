/* The line that begins a message in an mbox: "From SENDER DATE", DATE as asctime writes it, with a
 * zone before or behind the year where the writer knew one (RFC 4155 is the simplest of several).
 */
#ifndef TANDEM_CMD_MAIL_MBOX_FROM_H
#define TANDEM_CMD_MAIL_MBOX_FROM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

/* `line` without its end. False: no such line, so it is text. Without a zone the time is of the
 * zone that holds here. */
bool mbox_from_parse(struct slice line, uint32_t *ret_date, int8_t *ret_zone);

#endif
