/* The one runner of conversations: plays a script (script.h) against a daemon of its own. How a
 * script is written: tests/README.md. */
#ifndef TANDEM_TESTS_TRANSCRIPT_H
#define TANDEM_TESTS_TRANSCRIPT_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/buf.h"

struct daemon_conf;
struct script;

/* Each script is played three times; what the server says must not depend on how the octets
 * happened to arrive. */
enum transcript_way {
    TRANSCRIPT_WRITTEN,   /* each line is one write, its answer is awaited */
    TRANSCRIPT_BYTEWISE,  /* every octet is a write */
    TRANSCRIPT_PIPELINED, /* all lines up to where a client must wait are one write */
    TRANSCRIPT_WAYS,
};

const char *transcript_way_name(enum transcript_way way);

/* `conf` names programs and certificate; accounts and settings come from the script. `mail` is the
 * directory of message files. False: `report` tells where, what was expected, what came, and the
 * dialog so far. */
MUST_CHECK bool transcript_play(struct script *script, enum transcript_way way,
                                const struct daemon_conf *conf, const char *mail,
                                struct buf *report);

#endif
