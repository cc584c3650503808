/* What opening a store asks of restore.c. */
#ifndef TANDEM_STORE_RESTORE_H
#define TANDEM_STORE_RESTORE_H

#include "store/store.h"

/* A restore ended in its middle: the environments may be of two times. */
bool restore_broke_off(const struct store_conf *conf);

#endif
