/* transcript [--only WORD] FILE.t|FOLDER ...: plays conversations, speaks TAP. Format of the
 * files: tests/README.md. Built with the paths of this build's programs and of the messages. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/mem.h"
#include "tests/lib/daemon.h"
#include "tests/lib/script.h"
#include "tests/lib/transcript.h"

enum { REPORT_MAX = 16 << 20 };

struct paths {
    char **list;
    int n;
};

static void path_add(struct paths *paths, const char *path)
{
    paths->list = mem_resize(paths->list, (size_t)(paths->n + 1) * sizeof *paths->list);
    paths->list[paths->n++] = mem_dup(path, strlen(path) + 1);
}

static void paths_find(struct paths *paths, const char *path, const char *only)
{
    struct stat st;
    if (stat(path, &st)) {
        perror(path);
        exit(2);
    }
    if (!S_ISDIR(st.st_mode)) {
        path_add(paths, path);
        return;
    }
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char full[4096];
        size_t len = strlen(names[i]->d_name);
        snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
        if (len > 2 && strcmp(names[i]->d_name + len - 2, ".t") == 0 && strstr(full, only))
            path_add(paths, full);
        free(names[i]);
    }
    free(names);
}

static void report_print(struct slice report)
{
    while (report.len) {
        size_t n = slice_find(report, '\n');
        printf("# " SLICE_FMT "\n", SLICE_ARG(slice_first(report, n)));
        report = slice_from(report, n < report.len ? n + 1 : n);
    }
}

/* "imap/fetch-partial.t" of a longer path. */
static const char *short_name(const char *path)
{
    const char *name = path;
    unsigned slashes = 0;
    for (const char *p = path + strlen(path); p > path && slashes < 2; p--) {
        slashes += *p == '/';
        name = slashes < 2 ? p : name;
    }
    return slashes < 2 ? path : name;
}

static bool play(struct script *script, enum transcript_way way, int number)
{
    static const struct daemon_conf conf = {
        .tandemd = BUILD_ROOT "/cmd/tandemd",
        .tandem = BUILD_ROOT "/cmd/tandem",
        .certificate = BUILD_ROOT "/tests/certificate.pem",
        .key = BUILD_ROOT "/tests/key.pem",
    };
    struct buf report;
    buf_init(&report, REPORT_MAX);
    bool good = transcript_play(script, way, &conf, SOURCE_ROOT "/tests/mail", &report);
    printf("%sok %d - %s %s\n", good ? "" : "not ", number, short_name(script->path),
           transcript_way_name(way));
    report_print(buf_slice(&report));
    fflush(stdout);
    buf_finish(&report);
    return good;
}

int main(int argc, char **argv)
{
    const char *only = "";
    struct paths paths = {0};
    int failed = 0, number = 0, planned = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else
            paths_find(&paths, argv[i], only);
    }
    if (paths.n == 0) {
        fprintf(stderr, "usage: transcript [--only WORD] FILE.t|FOLDER ...\n");
        return 2;
    }
    struct script **scripts = mem_new_array((size_t)paths.n, sizeof *scripts);
    for (int i = 0; i < paths.n; i++) {
        scripts[i] = script_read(paths.list[i]);
        planned += TRANSCRIPT_WAYS - scripts[i]->not_pipelined - scripts[i]->not_bytewise;
    }
    printf("1..%d\n", planned);
    for (int i = 0; i < paths.n; i++) {
        for (int way = 0; way < TRANSCRIPT_WAYS; way++)
            if (!(way == TRANSCRIPT_PIPELINED && scripts[i]->not_pipelined) &&
                !(way == TRANSCRIPT_BYTEWISE && scripts[i]->not_bytewise))
                failed += !play(scripts[i], (enum transcript_way)way, ++number);
        script_free(scripts[i]);
        mem_free(paths.list[i]);
    }
    mem_free(scripts);
    mem_free(paths.list);
    return failed != 0;
}
