/* What the writers of Maildirs and mboxes share: the walk over the records of an export. */
#ifndef TANDEM_CMD_MAIL_WRITER_H
#define TANDEM_CMD_MAIL_WRITER_H

#include "cmd/mail/record.h"

/* Each returns false when it cannot go on, and has complained then. Records are lent for the call.
 */
struct writer {
    bool (*begin)(void *arg, const struct record_total *total);
    bool (*mailbox)(void *arg, const struct record_mailbox *mailbox);
    bool (*message)(void *arg, const struct record_message *message);
    bool (*octets)(void *arg, struct slice octets);
    bool (*end)(void *arg, bool whole);
    bool (*mailbox_end)(void *arg);
    bool (*subscribed)(void *arg, struct slice path);
    bool (*done)(void *arg);
};

/* False: a call returned false, or the stream was cut off. */
bool writer_run(const struct writer *writer, void *arg, int fd);

/* A directory that is there or is made, below `at`. -1: complained. */
int writer_directory(int at, const char *name);
/* An export goes into an empty folder, or goes on in its own: whose it is says a file in it. False:
 * complained. */
bool writer_claim(int root, struct slice account);
/* All of it. False: complained. */
bool writer_write(int fd, struct slice octets, const char *name);
/* A whole file of that name, or none: complained. */
bool writer_file(int at, const char *name, struct slice octets);
/* A path as modified UTF-7, with `separator` between components; what may not stand in a component
 * (`separator`, and a '.' in front) becomes '_', said once. In the arena. */
struct slice writer_name(struct arena *arena, struct slice path, char separator);

/* CRLF to LF. A CR before them keeps them as they are, so that each file becomes the same octets
 * again when LF becomes CRLF. */
struct line_ends {
    bool cr, cr_before; /* a CR waits; there was one before it */
};
/* At most in.len + 1 octets; the end is told by an empty `in`. */
size_t line_ends_to_lf(struct line_ends *state, struct slice in, char *to);

#endif
