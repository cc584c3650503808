/* tandem: the admin tool. Finds the verb and its input, then has the verb run: by the daemon if one
 * serves the store, else by itself. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/help.h"
#include "cmd/offline.h"
#include "cmd/output.h"
#include "cmd/outside.h"
#include "cmd/setup.h"
#include "cmd/to_file.h"
#include "cmd/verb.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

/* --- input ------------------------------------------------------------------------------------ */

struct input {
    int *fds;
    size_t n;
    struct outside outside;
};

/* Root may hand over more messages than a process usually has descriptors. */
static void make_room(size_t n)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= n + 64)
        return;
    limit.rlim_cur = n + 64;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool input_open(struct input *input, const char *path)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        setup_complain("%s: %s", path, strerror(errno));
        return false;
    }
    input->fds[input->n++] = fd;
    return true;
}

static void input_close(struct input *input)
{
    for (size_t i = 0; i < input->n; i++)
        close(input->fds[i]);
    mem_free(input->fds);
}

static ssize_t read_line(FILE *tty, char **ret)
{
    size_t cap = 0;
    *ret = NULL;
    return getline(ret, &cap, tty);
}

/* Asked for twice, without echo; into a pipe, so that it is read like any other input. */
static bool ask_password(int to)
{
    struct termios before, quiet;
    char *first = NULL, *second = NULL;
    FILE *tty = fopen("/dev/tty", "r+e");
    if (!tty || tcgetattr(fileno(tty), &before)) {
        setup_complain("no terminal to ask for the password; use --password-stdin");
        if (tty)
            fclose(tty);
        return false;
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
    fputs("Password: ", tty);
    fflush(tty);
    ssize_t n = read_line(tty, &first);
    fputs("\nOnce more: ", tty);
    fflush(tty);
    ssize_t m = read_line(tty, &second);
    fputs("\n", tty);
    tcsetattr(fileno(tty), TCSAFLUSH, &before);
    fclose(tty);
    bool good = n > 0 && n == m && strcmp(first, second) == 0;
    if (good)
        good = write(to, first, (size_t)n) == n; /* a line: it fits into the pipe */
    else
        setup_complain("these were not the same");
    if (first)
        mem_wipe(first, strlen(first));
    if (second)
        mem_wipe(second, strlen(second));
    free(first);
    free(second);
    return good;
}

static bool password_open(struct input *input, int argc, const char **argv)
{
    int ends[2];
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--password-stdin") == 0)
            return input_open(input, "-");
    if (pipe2(ends, O_CLOEXEC)) {
        setup_complain("pipe: %s", strerror(errno));
        return false;
    }
    input->fds[input->n++] = ends[0];
    bool good = ask_password(ends[1]);
    close(ends[1]);
    return good;
}

/* The arguments of deliver behind its options are files: opened here, before we may become somebody
 * who cannot read them, and taken out. */
static bool messages_open(struct input *input, const struct verb *verb, int *argc,
                          const char **argv)
{
    int kept = 0;
    bool options = true;
    for (int i = 0; i < *argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            const struct verb_opt *opt = verb_find_option(verb, argv[i]);
            argv[kept++] = argv[i];
            if (opt && opt->value && i + 1 < *argc)
                argv[kept++] = argv[++i];
        } else if (!input_open(input, argv[i])) {
            return false;
        }
    }
    *argc = kept;
    return input->n || input_open(input, "-");
}

/* `user import FILE --scheme S`: FILE is the argument that is no option's. */
static bool file_open(struct input *input, const struct verb *verb, int *argc, const char **argv)
{
    if (!messages_open(input, verb, argc, argv))
        return false;
    if (input->n == 1)
        return true;
    setup_complain("one file at a time");
    return false;
}

/* `import maildir NAME DIR`: DIR is the last argument that is no option's, and taken out. */
static bool files_open(struct input *input, const struct verb *verb, int *argc, const char **argv)
{
    int last = -1;
    bool options = true;
    for (int i = 0; i < *argc; i++) {
        const struct verb_opt *opt = options ? verb_find_option(verb, argv[i]) : NULL;
        options = options && strcmp(argv[i], "--") != 0;
        if (opt)
            i += opt->value != NULL;
        else if (options ? argv[i][0] != '-' || !argv[i][1] : strcmp(argv[i], "--") != 0)
            last = i;
    }
    if (last < 1) {
        setup_complain("which files? Try 'tandem %s --help'", verb->name);
        return false;
    }
    const char *path = argv[last];
    for (int i = last; i + 1 < *argc; i++)
        argv[i] = argv[i + 1];
    --*argc;
    if (!outside_start(&input->outside, verb, path))
        return false;
    if (verb->input == VERB_READER)
        input->fds[input->n++] = input->outside.input;
    return true;
}

static bool input_of(struct input *input, const struct verb *verb, int *argc, const char **argv)
{
    make_room((size_t)*argc);
    input->fds = mem_new_array((size_t)*argc + 1, sizeof *input->fds);
    input->n = 0;
    input->outside = (struct outside){0};
    switch (verb->input) {
    case VERB_NOTHING:
        return true;
    case VERB_PASSWORD:
        return password_open(input, *argc, argv);
    case VERB_FILE:
        return file_open(input, verb, argc, argv);
    case VERB_MESSAGES:
        return messages_open(input, verb, argc, argv);
    case VERB_READER:
    case VERB_WRITER:
        return files_open(input, verb, argc, argv);
    }
    return false;
}

/* --- verbs ------------------------------------------------------------------------------------ */

/* A verb is one word or two. Returns how many. */
static int find(int argc, char **argv, const struct verb **ret)
{
    char name[64];
    if (argc > 1) {
        snprintf(name, sizeof name, "%s %s", argv[0], argv[1]);
        *ret = verb_find(name);
        if (*ret)
            return 2;
    }
    *ret = verb_find(argv[0]);
    return *ret ? 1 : 0;
}

/* What every verb takes and no verb sees. */
struct common {
    bool json, no_header, help;
};

static bool common_take(struct common *common, const char *arg)
{
    bool *flag = strcmp(arg, "--json") == 0        ? &common->json
                 : strcmp(arg, "--no-header") == 0 ? &common->no_header
                 : strcmp(arg, "--help") == 0      ? &common->help
                                                   : NULL;
    if (flag)
        *flag = true;
    return flag;
}

/* Out of the arguments of a verb, but not out of the value of an option nor from behind "--". */
static int common_options(struct common *common, const struct verb *verb, int argc, char **argv)
{
    int kept = 0;
    bool options = true;
    for (int i = 0; i < argc; i++) {
        const struct verb_opt *opt = options ? verb_find_option(verb, argv[i]) : NULL;
        options = options && strcmp(argv[i], "--") != 0;
        if (options && common_take(common, argv[i]))
            continue;
        argv[kept++] = argv[i];
        if (opt && opt->value && i + 1 < argc)
            argv[kept++] = argv[++i];
    }
    return kept;
}

/* By the daemon, or by ourselves. */
static int run_with(const struct config *config, const struct verb *verb, int argc,
                    const char **args, const struct input *input, struct output *output)
{
    int fd;
    switch (client_connect(config, &fd)) {
    case CLIENT_CONNECTED:
        if (verb->down != DOWN_ALONE)
            return client_run(config, fd, verb, argc, args, input->fds, input->n, output);
        close(fd);
        return setup_complain("a daemon serves this store: stop it first");
    case CLIENT_NO_DAEMON:
        return offline_run(config, verb, argc, args, input->fds, input->n, output);
    case CLIENT_REFUSED:
        break;
    }
    return EXIT_FAILED;
}

/* Whatever is not the name of a file. */
static bool all_utf8(const struct verb *verb, int argc, const char **args)
{
    for (int i = 0; i < argc; i++)
        if (!utf8_valid(slice_str(args[i]))) {
            setup_complain("argument %d of '%s' is not UTF-8", i + 1, verb->name);
            return false;
        }
    return true;
}

static int run(const struct config *config, const struct verb *verb, const struct common *common,
               FILE *to, int argc, char **argv)
{
    struct input input;
    struct output_conf conf = {.json = common->json,
                               .no_header = common->no_header,
                               .to = to,
                               .watched = isatty(STDERR_FILENO)};
    struct output *output = output_new(&conf);
    const char **args = mem_new_array((size_t)argc + 1, sizeof *args);
    for (int i = 0; i < argc; i++)
        args[i] = argv[i];
    int status = verb->input == VERB_MESSAGES ? EX_USAGE : EXIT_FAILED;
    if (input_of(&input, verb, &argc, args) && all_utf8(verb, argc, args)) {
        output_set_data(output, input.outside.data);
        status = run_with(config, verb, argc, args, &input, output);
    }
    output_set_data(output, NULL);
    input_close(&input);
    if (!outside_end(&input.outside) && !status)
        status = setup_complain("the files are not whole");
    mem_free(args);
    return output_end(output) || status ? status : EXIT_FAILED;
}

/* In a child: who runs the verb may have to become the owner of the store for good, who names the
 * file must be who asked for it. */
static int run_to_file(const struct config *config, const struct verb *verb,
                       const struct common *common, int argc, char **argv)
{
    struct to_file file;
    int status = 0;
    if (argc == 0 || !argv[argc - 1][0]) {
        setup_complain("name a file; '-' is standard output");
        return EXIT_USAGE;
    }
    if (!to_file_open(&file, argv[--argc]))
        return EXIT_FAILED;
    pid_t child = fork();
    if (child == 0) {
        status = run(config, verb, common, file.to, argc, argv);
        _exit(fflush(file.to) == 0 || status ? status : EXIT_FAILED);
    }
    signal(SIGINT, SIG_IGN); /* it ends the child; what that leaves behind is cleared away here */
    signal(SIGTERM, SIG_IGN);
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = setup_complain("fork: %s", strerror(errno));
    else
        status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
    return to_file_close(&file, !status) || status ? status : EXIT_FAILED;
}

static int config_check(const char *file)
{
    struct config *config = setup_config(file, setup_check);
    int status = config ? EXIT_DONE : EXIT_USAGE;
    config_unref(config);
    if (!status)
        printf("%s: good\n", file);
    return status;
}

static int run_verb(const char *file, struct common *common, int argc, char **argv)
{
    const struct verb *verb = NULL;
    int words = find(argc, argv, &verb);
    if (!verb)
        return help_unknown(argc, argv);
    argc = common_options(common, verb, argc - words, argv + words);
    if (common->help) {
        help_verb(verb);
        return EXIT_DONE;
    }
    struct config *config =
        setup_config(file, verb->down == DOWN_REFUSES ? setup_check_if_wrong : NULL);
    if (!config)
        return verb->input == VERB_MESSAGES ? EX_TEMPFAIL : EXIT_USAGE;
    int status = verb->to_file ? run_to_file(config, verb, common, argc, argv + words)
                               : run(config, verb, common, stdout, argc, argv + words);
    config_unref(config);
    return status;
}

int main(int argc, char **argv)
{
    const char *file = setup_default_config;
    struct common common = {0};
    int at = 1;
    setlocale(LC_CTYPE, "C.UTF-8"); /* how wide text is, in tables */
    for (; at < argc && argv[at][0] == '-'; at++) {
        if ((strcmp(argv[at], "-c") == 0 || strcmp(argv[at], "--config") == 0) && at + 1 < argc) {
            file = argv[++at];
        } else if (strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "--help") == 0) {
            help_print();
            return EXIT_DONE;
        } else if (strcmp(argv[at], "--version") == 0) {
            puts("tandem " TANDEM_VERSION);
            return EXIT_DONE;
        } else if (!common_take(&common, argv[at])) {
            setup_complain("what is '%s'? Try 'tandem --help'", argv[at]);
            return EXIT_USAGE;
        }
    }
    argc -= at;
    argv += at;
    if (argc == 2 && strcmp(argv[0], "config") == 0 && strcmp(argv[1], "check") == 0)
        return config_check(file);
    if (argc)
        return run_verb(file, &common, argc, argv);
    setup_complain("what shall be done? Try 'tandem --help'");
    return EXIT_USAGE;
}
