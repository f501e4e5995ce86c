#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#define _XOPEN_SOURCE_EXTENDED 1
#define _GNU_SOURCE 1
#define _DARWIN_C_SOURCE 1

#include "howdah_curses.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

static SCREEN *screen;
static FILE *null_input, *null_output;

/* What gives the terminal back, made before anything can go wrong. */
static char farewell[512];
static size_t farewell_length;
static struct termios original_modes;
static int has_modes, is_open;
static int guard_stderr = -1, guard_captured = -1;
static int signal_pipe = -1;

int howdah_locale(void) {
    setlocale(LC_CTYPE, "");
    const char *set = nl_langinfo(CODESET);
    return set && (strcmp(set, "UTF-8") == 0 || strcmp(set, "utf8") == 0 || strcmp(set, "utf-8") == 0);
}

/* Pairs of colours, numbered as they come. */
enum { MAX_PAIRS = 4096 };
static struct { short foreground, background; } pairs[MAX_PAIRS];
static int pair_count;

static int pair_of(int foreground, int background) {
    if (!has_colors() || (foreground < 0 && background < 0)) return 0;
    for (int index = 0; index < pair_count; index++)
        if (pairs[index].foreground == foreground && pairs[index].background == background) return index + 1;
    if (pair_count >= MAX_PAIRS || pair_count + 1 >= COLOR_PAIRS) return 0;
    if (init_extended_pair(pair_count + 1, foreground, background) == ERR) return 0;
    pairs[pair_count].foreground = (short)foreground;
    pairs[pair_count].background = (short)background;
    return ++pair_count;
}

static void add_farewell(const char *text) {
    if (!text || text == (char *)-1) return;
    size_t length = strlen(text);
    if (farewell_length + length < sizeof farewell) {
        memcpy(farewell + farewell_length, text, length);
        farewell_length += length;
    }
}

static void set_modes(int escape_delay) {
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    meta(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    set_escdelay(escape_delay);
    mouseinterval(0);
    define_key("\033[200~", KEY_MAX + 1);
    define_key("\033[201~", KEY_MAX + 2);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
}

static void paste_mode(int is_on) {
    if (!null_output) howdah_send(is_on ? "\033[?2004h" : "\033[?2004l", 8);
}

/* Whether the terminal that newterm opened can place a cursor; closes it where not. */
static int is_usable(void) {
    if (tigetstr("cup") && tigetstr("cup") != (char *)-1) return 1;
    howdah_close();
    return 0;
}

int howdah_open(int escape_delay) {
    has_modes = tcgetattr(STDIN_FILENO, &original_modes) == 0;
    screen = newterm(NULL, stdout, stdin);
    if (!screen) return 0;
    if (!is_usable()) return 0;
    pair_count = 0;
    set_modes(escape_delay);
    farewell_length = 0;
    add_farewell("\033[?2004l");
    add_farewell(tigetstr("sgr0"));
    add_farewell(tigetstr("op"));
    add_farewell(tigetstr("cnorm"));
    add_farewell("\033[?1000l\033[?1006l");
    add_farewell(tigetstr("rmkx"));
    add_farewell(tigetstr("rmcup"));
    is_open = 1;
    paste_mode(1);
    return 1;
}

int howdah_open_null(const char *terminal, int width, int height) {
    null_input = fopen("/dev/null", "r");
    null_output = fopen("/dev/null", "w");
    if (!null_input || !null_output) return 0;
    screen = newterm(terminal, null_output, null_input);
    if (!screen || !is_usable()) return 0;
    resizeterm(height, width);
    pair_count = 0;
    set_modes(25);
    return 1;
}

void howdah_close(void) {
    if (!screen) return;
    if (is_open) paste_mode(0);
    is_open = 0;
    endwin();
    delscreen(screen);
    screen = NULL;
    if (null_input) fclose(null_input);
    if (null_output) fclose(null_output);
    null_input = null_output = NULL;
}

void howdah_leave(void) {
    paste_mode(0);
    def_prog_mode();
    is_open = 0;
    endwin();
}

void howdah_return(void) {
    reset_prog_mode();
    is_open = 1;
    paste_mode(1);
    howdah_fit();
    clearok(curscr, TRUE);
}

int howdah_colors(void) { return has_colors() ? COLORS : 0; }

void howdah_size(int *width, int *height) { getmaxyx(stdscr, *height, *width); }

int howdah_fit(void) {
    struct winsize size;
    int width, height;
    howdah_size(&width, &height);
    if (null_output || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return 0;
    if (size.ws_col == width && size.ws_row == height) return 0;
    resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE);
    return 1;
}

int howdah_width(uint32_t scalar) { return wcwidth((wchar_t)scalar); }

void howdah_put(int y, int x, const uint32_t *scalars, int count, int attributes, int foreground, int background) {
    wchar_t text[CCHARW_MAX + 1];
    int length = count < CCHARW_MAX ? count : CCHARW_MAX;
    for (int index = 0; index < length; index++) text[index] = (wchar_t)scalars[index];
    text[length] = 0;
    attr_t style = A_NORMAL;
    if (attributes & HOWDAH_BOLD) style |= A_BOLD;
    if (attributes & HOWDAH_DIM) style |= A_DIM;
    if (attributes & HOWDAH_UNDERLINE) style |= A_UNDERLINE;
    if (attributes & HOWDAH_REVERSE) style |= A_REVERSE;
#ifdef A_ITALIC
    if (attributes & HOWDAH_ITALIC) style |= A_ITALIC;
#endif
    int pair = pair_of(foreground, background);
    cchar_t cell;
    if (setcchar(&cell, text, style, 0, &pair) == OK) mvadd_wch(y, x, &cell);
}

int howdah_cell(int y, int x, uint32_t *scalars, int capacity) {
    cchar_t cell;
    wchar_t text[CCHARW_MAX + 1];
    attr_t style;
    short pair;
    if (mvin_wch(y, x, &cell) == ERR || getcchar(&cell, text, &style, &pair, NULL) == ERR) return 0;
    int count = 0;
    while (text[count] && count < capacity) {
        scalars[count] = (uint32_t)text[count];
        count++;
    }
    return count;
}

void howdah_refresh(int y, int x, int shows_cursor, int all) {
    if (all) clearok(curscr, TRUE);
    curs_set(shows_cursor ? 1 : 0);
    move(y, x);
    refresh();
}

void howdah_mouse(int is_on) {
    mousemask(is_on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

void howdah_send(const char *bytes, int count) {
    fflush(stdout);
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, (size_t)count);
        if (written <= 0) {
            if (written < 0 && errno == EINTR) continue;
            return;
        }
        bytes += written;
        count -= (int)written;
    }
}

static int key_of(wint_t code) {
    switch (code) {
    case KEY_UP: return HOWDAH_UP;
    case KEY_DOWN: return HOWDAH_DOWN;
    case KEY_LEFT: return HOWDAH_LEFT;
    case KEY_RIGHT: return HOWDAH_RIGHT;
    case KEY_HOME: case KEY_FIND: return HOWDAH_HOME;
    case KEY_END: case KEY_SELECT: return HOWDAH_END;
    case KEY_PPAGE: return HOWDAH_PAGE_UP;
    case KEY_NPAGE: return HOWDAH_PAGE_DOWN;
    case KEY_DC: return HOWDAH_DELETE;
    case KEY_BACKSPACE: return HOWDAH_BACKSPACE;
    case KEY_BTAB: return HOWDAH_BACK_TAB;
    case KEY_ENTER: return HOWDAH_ENTER;
    case KEY_MAX + 1: return HOWDAH_PASTE_START;
    case KEY_MAX + 2: return HOWDAH_PASTE_END;
    }
    if (code >= KEY_F(1) && code <= KEY_F(12)) return HOWDAH_F0 + (int)(code - KEY_F0);
    return 0;
}

static void read_mouse(struct howdah_input *input) {
    MEVENT event;
    if (getmouse(&event) != OK) return;
    input->x = event.x;
    input->y = event.y;
    if (event.bstate & BUTTON4_PRESSED) input->kind = HOWDAH_WHEEL_UP;
    else if (event.bstate & BUTTON5_PRESSED) input->kind = HOWDAH_WHEEL_DOWN;
    else if (event.bstate & BUTTON1_PRESSED) input->kind = HOWDAH_CLICK;
}

void howdah_read(struct howdah_input *input) {
    for (;;) {
        wint_t value = 0;
        memset(input, 0, sizeof *input);
        errno = 0;
        int result = get_wch(&value);
        if (result == ERR) return;
        if (result == KEY_CODE_YES) {
            if (value == KEY_MOUSE) read_mouse(input);
            else if ((input->value = (uint32_t)key_of(value)) != 0) input->kind = HOWDAH_KEY;
            /* KEY_RESIZE and keys that nobody binds: look at what follows. */
            if (input->kind == HOWDAH_NOTHING) continue;
            return;
        }
        input->kind = HOWDAH_CHARACTER;
        input->value = (uint32_t)value;
        return;
    }
}

/* MARK: Signals. Only functions that signal-safety(7) allows. */

static void show_captured(void) {
    char block[1024];
    if (guard_captured < 0 || guard_stderr < 0) return;
    dup2(guard_stderr, STDERR_FILENO);
    lseek(guard_captured, 0, SEEK_SET);
    ssize_t count;
    while ((count = read(guard_captured, block, sizeof block)) > 0)
        if (write(STDERR_FILENO, block, (size_t)count) < 0) return;
}

static void crashed(int number) {
    if (is_open) {
        is_open = 0;
        if (write(STDOUT_FILENO, farewell, farewell_length) < 0) { /* the terminal is gone */ }
        if (has_modes) tcsetattr(STDIN_FILENO, TCSANOW, &original_modes);
    }
    show_captured();
    signal(number, SIG_DFL);
    raise(number);
}

void howdah_crash_guard(int real_stderr, int captured_stderr) {
    static char stack[64 * 1024];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 0};
    sigaltstack(&alternate, NULL);
    guard_stderr = real_stderr;
    guard_captured = captured_stderr;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = crashed;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
    int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        sigaction(numbers[index], &action, NULL);
}

static void noticed(int number) {
    int before = errno;
    char letter = number == SIGWINCH ? 'w'
        : number == SIGTERM ? 't'
        : number == SIGHUP ? 'h'
        : number == SIGINT ? 'i'
        : number == SIGTSTP ? 'z'
        : 'c';
    if (write(signal_pipe, &letter, 1) < 0) { /* full: the reader is awake already */ }
    errno = before;
}

static void notice(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = noticed;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, NULL);
}

void howdah_signals(int pipe) {
    signal_pipe = pipe;
    int numbers[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) notice(numbers[index]);
}

void howdah_stop_group(void) {
    signal(SIGTSTP, SIG_DFL);
    kill(0, SIGTSTP);
    notice(SIGTSTP);
}
