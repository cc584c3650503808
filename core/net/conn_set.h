/* The connections of one loop, as the server sees them. Made before the loop runs; all other calls
 * on the loop's thread. */
#ifndef TANDEM_NET_CONN_SET_H
#define TANDEM_NET_CONN_SET_H

#include <netinet/in.h>

#include "core/net/conn.h"

struct conn_set;
struct server;

struct conn_set *conn_set_new(struct loop *loop, struct server *server);
void conn_set_free(struct conn_set *set); /* after the loop has ended; ends what is left */
/* Ask every session to leave; who is not that far is closed. */
void conn_set_leave(struct conn_set *set, enum conn_end why);
void conn_set_close(struct conn_set *set, enum conn_end why);
/* Ask up to n connections that have not logged in to leave, the oldest first. */
unsigned conn_set_shed(struct conn_set *set, unsigned n);

/* "192.0.2.1", "2001:db8::1", "local"; a mapped IPv4 address as IPv4. Any thread. */
void conn_address_text(const struct sockaddr_storage *address, char to[static INET6_ADDRSTRLEN]);

#endif
