/* What verbs say, as a table and as JSON: the same messages, printed twice. */
#include "cmd/output.h"

#include <locale.h>
#include <stdlib.h>

#include "tests/lib/unit.h"

static const struct column columns[] = {
    {"login",         COLUMN_TEXT},
    {"last_login",               COLUMN_TIME},
    {"octets",COLUMN_OCTETS},
    {"idle",        COLUMN_SECONDS},
    {"enabled",               COLUMN_YESNO},
    {"flags",COLUMN_LIST},
    {"messages",       COLUMN_NUMBER},
    {0              }
};

struct rig {
    struct verb_io io;
    struct verb_call call;
    struct output *output;
    FILE *to;
    char *text;
    size_t len;
};

static void emit(struct verb_io *io, struct json_t *message)
{
    output_take(((struct rig *)(void *)io)->output, message);
    json_decref(message);
}

static void data(struct verb_io *io, struct slice octets)
{
    output_data(((struct rig *)(void *)io)->output, octets);
}

static void rig_init(struct rig *rig, bool json, bool no_header)
{
    *rig = (struct rig){
        .io = {.emit = emit, .data = data}
    };
    rig->to = open_memstream(&rig->text, &rig->len);
    rig->call.io = &rig->io;
    rig->output =
        output_new(&(struct output_conf){.json = json, .no_header = no_header, .to = rig->to});
}

static void assert_printed(struct rig *rig, const char *want)
{
    assert_true(output_end(rig->output));
    fclose(rig->to);
    assert_string_equal(rig->text, want);
    free(rig->text);
}

static void say_rows(struct verb_call *call)
{
    const struct slice flags[] = {SLICE("\\Seen"), SLICE("$Junk")};
    verb_columns(call, columns);
    verb_row(call, cell_str("zoë@example.org"), cell_time(1792652400), cell_octets(1536),
             cell_seconds(3720), cell_yesno(true), cell_list(flags, 2), cell_number(12));
    verb_row(call, cell_text(slice("a\xff\x1b[2J", 6)), cell_time(0), cell_octets(5),
             cell_seconds(59), cell_yesno(false), cell_list(NULL, 0), cell_none(COLUMN_NUMBER));
}

static void table_is_aligned_and_says_nothing_to_the_terminal(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, false, false);
    say_rows(&rig.call);
    assert_printed(
        &rig,
        "LOGIN            LAST LOGIN            OCTETS    IDLE  ENABLED  FLAGS         MESSAGES\n"
        "zoë@example.org  2026-10-22T07:00:00Z    1.5K  1h 02m  yes      \\Seen, $Junk        12\n"
        "a?\\x1b[2J        -                          5     59s  no       -                    "
        "-\n");
}

static void json_is_an_array_of_objects(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, true, false);
    say_rows(&rig.call);
    assert_printed(
        &rig,
        "[\n"
        "{\"login\":\"zoë@example.org\",\"last_login\":\"2026-10-22T07:00:00Z\",\"octets\":1536,"
        "\"idle\":3720,\"enabled\":true,\"flags\":[\"\\\\Seen\",\"$Junk\"],\"messages\":12},\n"
        "{\"login\":\"a?\\u001B[2J\",\"last_login\":null,\"octets\":5,\"idle\":59,\"enabled\":"
        "false,"
        "\"flags\":[],\"messages\":null}\n"
        "]\n");
}

static void json_of_no_rows_is_an_empty_array(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, true, false);
    verb_columns(&rig.call, columns);
    assert_printed(&rig, "[]\n");
    rig_init(&rig, true, false);
    assert_printed(&rig, "[]\n");
    rig_init(&rig, false, false);
    verb_columns(&rig.call, columns);
    assert_printed(&rig, "");
}

static const struct column pair[] = {
    {"name",       COLUMN_TEXT},
    {"all_flags",            COLUMN_LIST},
    {0}
};

static void record_has_a_line_for_each_value(void **state)
{
    (void)state;
    const struct slice flags[] = {SLICE("\\Seen"), SLICE("$Junk")};
    for (int json = 0; json < 2; json++) {
        struct rig rig;
        rig_init(&rig, json, false);
        verb_record(&rig.call, pair);
        verb_row(&rig.call, cell_str("INBOX"), cell_list(flags, 2));
        assert_printed(&rig, json ? "{\"name\":\"INBOX\",\"all_flags\":[\"\\\\Seen\",\"$Junk\"]}\n"
                                  : "name       INBOX\nall flags  \\Seen\n           $Junk\n");
    }
}

/* A verb that runs once for each input declares its columns each time. */
static void same_columns_go_on_with_the_same_table(void **state)
{
    (void)state;
    const struct column one[] = {
        {"n", COLUMN_NUMBER},
        {0  }
    };
    struct rig rig;
    rig_init(&rig, false, false);
    for (uint64_t n = 0; n < 3; n++) {
        verb_columns(&rig.call, one);
        verb_row(&rig.call, cell_number(n * 50));
    }
    assert_printed(&rig, "  N\n  0\n 50\n100\n");
}

static void long_tables_keep_their_widths(void **state)
{
    (void)state;
    enum { ROWS = 2500, WIDTH = 4 + 2 + 4 + 1 };
    const struct column two[] = {
        {"n",          COLUMN_NUMBER},
        {"text",            COLUMN_TEXT},
        {0}
    };
    struct rig rig;
    rig_init(&rig, false, true);
    verb_columns(&rig.call, two);
    for (unsigned n = 0; n < ROWS; n++)
        verb_row(&rig.call, cell_number(n ? n : 9999), cell_str(n % 2 ? "even" : "odds"));
    assert_true(output_end(rig.output));
    fclose(rig.to);
    assert_int_equal(rig.len, ROWS * WIDTH);
    assert_memory_equal(rig.text + rig.len - WIDTH, "2499  even\n", WIDTH);
    assert_memory_equal(rig.text + 1001 * WIDTH, "1001  even\n", WIDTH);
    assert_memory_equal(rig.text + WIDTH, "   1  even\n", WIDTH);
    free(rig.text);
}

static void lines_and_data_come_in_their_order(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, false, true);
    verb_columns(&rig.call, pair);
    verb_row(&rig.call, cell_str("first"), cell_list(NULL, 0));
    verb_say(&rig.call, "second\x1b[0m \xc2\x9b");
    verb_row(&rig.call, cell_str("third"), cell_list(NULL, 0));
    verb_data(&rig.call, SLICE("fourth\n"));
    assert_printed(&rig, "first  -\nsecond?[0m ?\nthird  -\nfourth\n");
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_aligned_and_says_nothing_to_the_terminal),
        cmocka_unit_test(json_is_an_array_of_objects),
        cmocka_unit_test(json_of_no_rows_is_an_empty_array),
        cmocka_unit_test(record_has_a_line_for_each_value),
        cmocka_unit_test(same_columns_go_on_with_the_same_table),
        cmocka_unit_test(long_tables_keep_their_widths),
        cmocka_unit_test(lines_and_data_come_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
