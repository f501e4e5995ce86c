/* The part of ncursesw that howdah uses, as plain functions: its macros do not reach Swift.
 *
 * One screen a process, used by one thread; only howdah_crash_guard's handler runs elsewhere. */
#ifndef HOWDAH_CURSES_H
#define HOWDAH_CURSES_H

#include <stdint.h>

enum {
    HOWDAH_BOLD = 1,
    HOWDAH_DIM = 2,
    HOWDAH_UNDERLINE = 4,
    HOWDAH_REVERSE = 8,
    HOWDAH_ITALIC = 16,
};

/* What howdah_read gives. */
enum {
    HOWDAH_NOTHING = 0,
    HOWDAH_CHARACTER,
    HOWDAH_KEY,
    HOWDAH_CLICK,
    HOWDAH_WHEEL_UP,
    HOWDAH_WHEEL_DOWN,
    HOWDAH_END_OF_INPUT,
};

/* Keys; the twelve function keys follow HOWDAH_F0. */
enum {
    HOWDAH_UP = 1,
    HOWDAH_DOWN,
    HOWDAH_LEFT,
    HOWDAH_RIGHT,
    HOWDAH_HOME,
    HOWDAH_END,
    HOWDAH_PAGE_UP,
    HOWDAH_PAGE_DOWN,
    HOWDAH_DELETE,
    HOWDAH_BACKSPACE,
    HOWDAH_BACK_TAB,
    HOWDAH_ENTER,
    HOWDAH_PASTE_START,
    HOWDAH_PASTE_END,
    HOWDAH_F0 = 100,
};

struct howdah_input {
    int kind;
    uint32_t value;
    int x, y;
};

/* Takes the locale's character set from the environment; true where it is UTF-8. */
int howdah_locale(void);

/* Opens the terminal; false where it is unknown or cannot place a cursor. escape_delay in milliseconds. */
int howdah_open(int escape_delay);
/* The same on a file that is no terminal, to be read back by tests. */
int howdah_open_null(const char *terminal, int width, int height);
void howdah_close(void);
/* Gives the terminal back for a while, and takes it again. */
void howdah_leave(void);
void howdah_return(void);

int howdah_colors(void);
void howdah_size(int *width, int *height);
/* Takes the terminal's size anew; true where it has changed. */
int howdah_fit(void);

/* Puts one cell: a base and its marks. Colours are numbers of the terminal's, -1 its own. */
void howdah_put(int y, int x, const uint32_t *scalars, int count, int attributes, int foreground, int background);
/* The cell that curses holds, for tests: the base and its marks. */
int howdah_cell(int y, int x, uint32_t *scalars, int capacity);
/* Cells that the C library gives a character; what differs from ours cannot be placed. */
int howdah_width(uint32_t scalar);
/* Sends what has changed; everything where all is true. */
void howdah_refresh(int y, int x, int shows_cursor, int all);

/* Reads what is there, without waiting. */
void howdah_read(struct howdah_input *input);
void howdah_mouse(int is_on);
/* Sends bytes to the terminal as they are, for what terminfo does not know. */
void howdah_send(const char *bytes, int count);

/* After SIGSEGV and its like: gives the terminal back, then shows what stderr had captured. Call after howdah_open. */
void howdah_crash_guard(int real_stderr, int captured_stderr);
/* Writes a byte for each of SIGWINCH (w), SIGTERM (t), SIGHUP (h), SIGINT (i), SIGTSTP (z), SIGCONT (c). */
void howdah_signals(int pipe);
/* Stops the process group as the terminal's own Ctrl-Z does; returns when it goes on. */
void howdah_stop_group(void);

#endif
