/* What this connection may be told that the server can do. */
#ifndef TANDEM_IMAP_CAPABILITY_H
#define TANDEM_IMAP_CAPABILITY_H

struct reply;
struct session;

/* "CAPABILITY IMAP4rev1 ...", as it stands in the response and in the response code. */
void imap_capabilities(const struct session *s, struct reply *r);

#endif
