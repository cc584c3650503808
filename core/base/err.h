/* Every way in which Tandem can fail, once. A function that can fail returns `enum err`; how each
 * code sounds to a client is decided in imap/reply.c, pop3/reply.c and lmtp/reply.c alone. */
#ifndef TANDEM_BASE_ERR_H
#define TANDEM_BASE_ERR_H

/* code, short word for logs, text for an administrator */
#define ERR_LIST(X)                                                                                \
    X(OK, "ok", "no error")                                                                        \
    X(SYNTAX, "syntax", "the command could not be parsed")                                         \
    X(STATE, "state", "the command is not valid in this state")                                    \
    X(NOTFOUND, "notfound", "no such account, mailbox or message")                                 \
    X(EXISTS, "exists", "it exists already")                                                       \
    X(AUTH, "auth", "wrong name or password")                                                      \
    X(AUTHZ, "authz", "may not act as that user")                                                  \
    X(PRIVACY, "privacy", "needs TLS")                                                             \
    X(OFF, "off", "the account or this protocol is switched off")                                  \
    X(PERM, "perm", "not permitted")                                                               \
    X(QUOTA, "quota", "the account's quota is used up")                                            \
    X(TOOBIG, "toobig", "the message or literal is too big")                                       \
    X(LIMIT, "limit", "a configured limit was reached")                                            \
    X(BUSY, "busy", "in use by another session")                                                   \
    X(DELAY, "delay", "logged in again too soon")                                                  \
    X(GONE, "gone", "the message has been expunged")                                               \
    X(CANNOT, "cannot", "this can never be done")                                                  \
    X(BADCHARSET, "badcharset", "the charset is not supported")                                    \
    X(UNKNOWNCTE, "unknowncte", "the content transfer encoding is not supported")                  \
    X(BADURL, "badurl", "the URL cannot be resolved")                                              \
    X(FULL, "full", "no room is left on the disk")                                                 \
    X(AGAIN, "again", "cannot be served right now; try again")                                     \
    X(DOWN, "down", "something this needs does not answer")                                        \
    X(FROZEN, "frozen", "the account is being moved")                                              \
    X(CORRUPT, "corrupt", "stored data is damaged")                                                \
    X(BUG, "bug", "a mistake in Tandem")

enum err {
#define X(code, word, text) ERR_##code,
    ERR_LIST(X)
#undef X
};

const char *err_word(enum err e); /* "notfound": stable, for logs and --json */
const char *err_text(enum err e); /* a sentence for the administrator */

#endif
