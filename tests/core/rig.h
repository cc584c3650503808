/* A server on one loop in the test's own thread, with a line protocol that does what its lines say.
 * The loop turns only inside rig_turn and rig_until, so every interleaving is the test's choice. */
#ifndef TANDEM_TESTS_CORE_RIG_H
#define TANDEM_TESTS_CORE_RIG_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/config.h"
#include "core/net/conn.h"
#include "core/net/listen.h"
#include "core/net/loop.h"

/* What the protocol noted; the newest connection's session. */
struct rig_session {
    struct conn *conn;
    size_t produce;  /* octets of BIG or BORROW still to make */
    size_t made;     /* octets of the pattern made so far */
    bool borrow;     /* make them as borrows */
    bool waiting;    /* WAIT: no input until rig_resume */
    bool swallowing; /* UPLOAD: input is thrown away */
    size_t swallowed;
    bool flushing;  /* FLUSH: to be told when the output is empty */
    char line[128]; /* the latest */
    unsigned inputs, drains, secureds, deadlines, leaves;
    size_t out_max; /* longest output queue seen */
};

struct rig {
    struct config *config;
    struct server *server;
    struct loop *loop;
    unsigned port; /* plain or STARTTLS; the next two: implicit TLS, PROXY */
    char dir[64];  /* of this run */
    char unix_path[96];
    struct rig_session *session; /* NULL: none is open */
    struct rig_session last;     /* copy of the one that ended last */
    unsigned opened, closed;
    enum conn_end why;
    /* The callback named here closes or finishes the connection at once. */
    const char *close_in, *finish_in;
};

extern struct rig rig;
extern const struct protocol rig_protocol;

/* `extra`: text for the config's [limits] and so on, may be NULL. With a certificate when `tls`. */
void rig_start(const char *extra, bool tls);
/* The same for a front end: its protocol in place of the line protocol, as `name` in the config. */
void rig_start_protocol(const struct protocol *protocol, const char *name, const char *extra);
void rig_stop(void);
struct config *rig_config(const char *protocol, const char *extra,
                          bool tls); /* with rig.port, now */
void rig_turn(void);                 /* one turn, without waiting */
bool rig_until(bool (*holds)(void));
void rig_for_ms(unsigned ms);
void rig_resume(void); /* end WAIT */

/* Certificate and key files in `dir`, made once per program. */
void rig_make_certificate(const char *dir);

/* --- a client: non-blocking, turns the loop while it waits ------------------------------------ */
int rig_connect(unsigned port);
void rig_send(int fd, struct slice s);
/* Receive until `n` octets or the end; the octets since the last call are in rig_got. */
size_t rig_receive(int fd, size_t n);
bool rig_at_end(int fd);                   /* the server has closed properly */
void rig_expect(int fd, const char *text); /* exactly these octets come next */
struct slice rig_got(void);
bool rig_has_session(void);
bool rig_has_none(void);

#endif
