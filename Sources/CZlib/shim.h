#pragma once
#include <zlib.h>

// Both are macros, which Swift cannot import. 15 is the largest window, and 16 more asks for gzip's header and trailer.
static inline int howdah_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

static inline int howdah_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
