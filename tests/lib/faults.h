/* What disks, kernels and power supplies do to a store: calls that fail, a process that is killed
 * between two calls, a machine that loses power with writes under way.
 *
 * Linked into a test, faults.c stands between the store (LMDB included) and libc for every call
 * that changes something below one watched directory. It counts them, and can fail the n-th, end
 * the process at it, or record all of them for tests/lib/cut.h. Files named *-lock (of running
 * processes) and ballast are neither counted nor recorded. One directory at a time. */
#ifndef TANDEM_TESTS_FAULTS_H
#define TANDEM_TESTS_FAULTS_H

#include <stddef.h>
#include <stdint.h>

/* From now on calls on files below `root` (absolute) count, from 0; none of them is open yet. NULL:
 * no more. */
void faults_watch(const char *root);
uint64_t faults_calls(void);

enum fault_kind {
    FAULT_NONE,
    FAULT_EIO,
    FAULT_ENOSPC, /* of calls that may need room: not of a meta page written in place */
    FAULT_SHORT,  /* a write ends in its middle, and from then on fstatvfs says that there is no
                   * room; other calls pass, and so does a meta page written in place */
    FAULT_KILL    /* the process ends before the call, as by kill -9, with FAULT_KILLED */
};
enum { FAULT_KILLED = 77 };
/* Calls number `nth` to `nth` + `n` - 1 (from 1) fail so. */
void faults_arm(enum fault_kind kind, uint64_t nth, uint64_t n);
uint64_t faults_hit(void); /* how many have failed since */

/* --- the record ------------------------------------------------------------------------------ */

enum call_kind {
    CALL_MARK,   /* none: the test says that something was begun or acknowledged */
    CALL_CREATE, /* name -> file */
    CALL_MKDIR,
    CALL_RENAME,
    CALL_UNLINK,
    CALL_WRITE,
    CALL_TRUNCATE,
    CALL_SYNC,       /* of the file's contents */
    CALL_SYNC_WRITE, /* of the write before it (O_DSYNC) */
    CALL_SYNC_DIR
};

struct call {
    enum call_kind kind;
    int file; /* index into record.files, -1: none */
    int mark;
    uint64_t offset; /* CALL_TRUNCATE: new size */
    size_t len;
    char *octets;
    char *name, *to; /* below the root, without a slash in front; "" is the root */
};

struct file {
    char *octets; /* as they were when the record began */
    size_t len;
};

struct record {
    struct call *calls;
    size_t n, cap;
    struct file *files;
    size_t nfiles;
    struct name {
        char *path;
        int file; /* -1: a directory */
    } * names;    /* as they were when the record began */
    size_t nnames;
};

/* All calls from faults_watch on, over what is below the root now. */
void faults_record(void);
void faults_mark(int mark);
struct record *faults_record_end(void); /* the caller's */
void record_free(struct record *record);

#endif
