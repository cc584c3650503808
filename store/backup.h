/* What a backup's stream consists of: written by backup.c, read by restore.c. */
#ifndef TANDEM_STORE_BACKUP_H
#define TANDEM_STORE_BACKUP_H

#include <stdint.h>
#include <xxhash.h>

enum backup_block {
    BACKUP_HEAD = 'H',
    BACKUP_FILE = 'F',
    BACKUP_DATA = 'D',
    BACKUP_FILE_END = 'E',
    BACKUP_END = 'Z'
};

enum { BACKUP_FILE_END_LEN = 8 + sizeof(XXH128_canonical_t) };
void backup_end_encode(uint64_t octets, XXH128_hash_t hash, unsigned char *to);

#endif
