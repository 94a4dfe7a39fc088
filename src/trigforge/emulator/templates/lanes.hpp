// Sums of products for LANES events at once, one 32-bit lane an event.
//
// Included once for every instruction set, inside a namespace of its own. A word holds four
// unsigned bytes (a quad) or two signed 16-bit integers (a pair) of one event; weights are
// four signed bytes or two 16-bit integers. Sums are exact modulo 2**32.

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define VECTOR_BYTES 64
#define N_PARTS 4
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#define N_PARTS 2
#else
#define VECTOR_BYTES 16
#define N_PARTS 2
#endif

typedef int32_t Vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint32_t UnsignedVector __attribute__((vector_size(VECTOR_BYTES), may_alias));

typedef int16_t Halves __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint16_t UnsignedHalves __attribute__((vector_size(VECTOR_BYTES), may_alias));

constexpr int PER_VECTOR = VECTOR_BYTES / 4;
constexpr int LANES = N_PARTS * PER_VECTOR;

struct Lanes {
  Vector part[N_PARTS];
};

// Hide from the optimiser that a table is constant: it would load each entry as a vector.
template <class T> ALWAYS_INLINE const T *opaque(const T *table) {
  asm("" : "+r"(table));
  return table;
}

ALWAYS_INLINE Vector broadcast(int32_t value) { return Vector{} + value; }

ALWAYS_INLINE Lanes splat(int32_t value) {
  Lanes lanes;
  for (int i = 0; i < N_PARTS; ++i) lanes.part[i] = broadcast(value);
  return lanes;
}

ALWAYS_INLINE Lanes load(const int32_t *words) {
  Lanes lanes;
  for (int i = 0; i < N_PARTS; ++i)
    lanes.part[i] = *reinterpret_cast<const Vector *>(words + i * PER_VECTOR);
  return lanes;
}

ALWAYS_INLINE void store(int32_t *words, const Lanes &lanes) {
  for (int i = 0; i < N_PARTS; ++i)
    *reinterpret_cast<Vector *>(words + i * PER_VECTOR) = lanes.part[i];
}

// Two products of signed 16-bit integers, added.
ALWAYS_INLINE Vector pair_products(Vector x, Vector w) {
#if VECTOR_BYTES == 64
  return Vector(_mm512_madd_epi16(__m512i(x), __m512i(w)));
#elif defined(__AVX2__)
  return Vector(_mm256_madd_epi16(__m256i(x), __m256i(w)));
#elif defined(__SSE2__)
  return Vector(_mm_madd_epi16(__m128i(x), __m128i(w)));
#else
  const UnsignedVector high = UnsignedVector(x >> 16) * UnsignedVector(w >> 16);
  const UnsignedVector low =
      UnsignedVector(Vector(UnsignedVector(x) << 16) >> 16) *
      UnsignedVector(Vector(UnsignedVector(w) << 16) >> 16);
  return Vector(high + low);
#endif
}

ALWAYS_INLINE Vector plus(Vector a, Vector b) {
  return Vector(UnsignedVector(a) + UnsignedVector(b));
}

ALWAYS_INLINE void add_pairs(Lanes &sum, const Lanes &x, int32_t w) {
  const Vector weights = broadcast(w);
  for (int i = 0; i < N_PARTS; ++i)
#if VECTOR_BYTES == 64
    sum.part[i] = Vector(
        _mm512_dpwssd_epi32(__m512i(sum.part[i]), __m512i(x.part[i]), __m512i(weights)));
#else
    sum.part[i] = plus(sum.part[i], pair_products(x.part[i], weights));
#endif
}

// Four products of unsigned by signed bytes, whatever their size.
ALWAYS_INLINE void add_large_quads(Lanes &sum, const Lanes &x, int32_t w) {
#if VECTOR_BYTES == 64
  const Vector weights = broadcast(w);
  for (int i = 0; i < N_PARTS; ++i)
    sum.part[i] = Vector(
        _mm512_dpbusd_epi32(__m512i(sum.part[i]), __m512i(x.part[i]), __m512i(weights)));
#else
  const Halves weights = Halves(broadcast(w));
  const Vector even = Vector(Halves(UnsignedHalves(weights) << 8) >> 8), odd = Vector(weights >> 8);
  for (int i = 0; i < N_PARTS; ++i) {
    const Vector low = x.part[i] & 0x00ff00ff;
    const Vector high = Vector(UnsignedVector(x.part[i]) >> 8) & 0x00ff00ff;
    sum.part[i] = plus(sum.part[i], pair_products(low, even));
    sum.part[i] = plus(sum.part[i], pair_products(high, odd));
  }
#endif
}

// Four products of unsigned by signed bytes. Where the CPU adds them in 16 bits, they are
// collected in `partial`; the generator has proved that they fit, and calls `settle` before
// they might not.
ALWAYS_INLINE void add_quads(Lanes &sum, Lanes &partial, const Lanes &x, int32_t w) {
#if VECTOR_BYTES == 32
  (void)sum;
  const Vector weights = broadcast(w);
  for (int i = 0; i < N_PARTS; ++i)
    partial.part[i] = Vector(_mm256_add_epi16(
        __m256i(partial.part[i]), _mm256_maddubs_epi16(__m256i(x.part[i]), __m256i(weights))));
#else
  (void)partial;
  add_large_quads(sum, x, w);
#endif
}

ALWAYS_INLINE void settle(Lanes &sum, Lanes &partial) {
#if VECTOR_BYTES == 32
  const Vector ones = broadcast(0x00010001);
  for (int i = 0; i < N_PARTS; ++i) {
    sum.part[i] = plus(sum.part[i], pair_products(partial.part[i], ones));
    partial.part[i] = Vector{};
  }
#else
  (void)sum;
  (void)partial;
#endif
}

// One word of the inputs and its weights for four outputs.
struct Entry {
  uint32_t word;
  int32_t weights[4];
};

ALWAYS_INLINE void add_pair_entries(Lanes (&sums)[4], const int32_t *words, const uint32_t *at,
                                    const Entry *entries, int n_entries) {
  Lanes a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (int i = 0; i < n_entries; ++i) {
    const Lanes x = load(words + int64_t(at[entries[i].word]) * LANES);
    add_pairs(a, x, entries[i].weights[0]);
    add_pairs(b, x, entries[i].weights[1]);
    add_pairs(c, x, entries[i].weights[2]);
    add_pairs(d, x, entries[i].weights[3]);
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

ALWAYS_INLINE void add_large_entries(Lanes (&sums)[4], const int32_t *words, const uint32_t *at,
                                     const Entry *entries, int n_entries) {
  Lanes a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (int i = 0; i < n_entries; ++i) {
    const Lanes x = load(words + int64_t(at[entries[i].word]) * LANES);
    add_large_quads(a, x, entries[i].weights[0]);
    add_large_quads(b, x, entries[i].weights[1]);
    add_large_quads(c, x, entries[i].weights[2]);
    add_large_quads(d, x, entries[i].weights[3]);
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

// `n_safe` entries, the generator has proved, do not overflow 16 bits.
ALWAYS_INLINE void add_quad_entries(Lanes (&sums)[4], const int32_t *words, const uint32_t *at,
                                    const Entry *entries, int n_entries, int n_safe) {
#if VECTOR_BYTES == 32
  for (int first = 0; first < n_entries; first += n_safe) {
    const int stop = n_entries - first < n_safe ? n_entries : first + n_safe;
    Lanes a = {}, b = {}, c = {}, d = {};
    for (int i = first; i < stop; ++i) {
      const Lanes x = load(words + int64_t(at[entries[i].word]) * LANES);
      add_quads(a, a, x, entries[i].weights[0]);
      add_quads(b, b, x, entries[i].weights[1]);
      add_quads(c, c, x, entries[i].weights[2]);
      add_quads(d, d, x, entries[i].weights[3]);
    }
    settle(sums[0], a);
    settle(sums[1], b);
    settle(sums[2], c);
    settle(sums[3], d);
  }
#else
  (void)n_safe;
  add_large_entries(sums, words, at, entries, n_entries);
#endif
}

// The largest sums of some positions, output by output.
template <class Group, size_t N>
ALWAYS_INLINE void largest_sums(Group group, const int32_t *words, const uint32_t (*at)[N],
                                int n_positions, int32_t (*sums)[LANES]) {
  alignas(64) int32_t others[4][LANES] = {};
  group(words, at[0], sums);
  for (int k = 1; k < n_positions; ++k) {
    group(words, at[k], others);
    for (int i = 0; i < 4; ++i)
      for (int l = 0; l < LANES; ++l)
        sums[i][l] = sums[i][l] < others[i][l] ? others[i][l] : sums[i][l];
  }
}

// Words from other words or from planes (one plane: one element of LANES events).
ALWAYS_INLINE int32_t quad(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return int32_t(a | b << 8 | c << 16 | d << 24);
}

// Words whose four elements follow one another: the first word, and how many bits into it.
ALWAYS_INLINE void shift_words(const int32_t *quads, const uint32_t (*runs)[2], int n,
                               int32_t *words) {
  for (int i = 0; i < n; ++i) {
    const int32_t *a = quads + int64_t(runs[i][0]) * LANES, *b = a + LANES;
    const uint32_t shift = runs[i][1];
    for (int l = 0; l < LANES; ++l)
      words[i * LANES + l] = int32_t(uint32_t(a[l]) >> shift | uint32_t(b[l]) << (32 - shift));
  }
}

// Words of any four elements of quads; byte `4 * n` and the next stand for zero.
ALWAYS_INLINE void pick_words(const int32_t *quads, const uint32_t (*bytes)[4], int n,
                              int32_t *words) {
  for (int i = 0; i < n; ++i)
    for (int l = 0; l < LANES; ++l) {
      uint32_t word = 0;
      for (int j = 0; j < 4; ++j) {
        const uint32_t at = bytes[i][j];
        word |= (uint32_t(quads[int64_t(at / 4) * LANES + l]) >> 8 * (at % 4) & 255u) << 8 * j;
      }
      words[i * LANES + l] = int32_t(word);
    }
}

template <class T>
ALWAYS_INLINE void pack_quads(const T *planes, const uint32_t (*elements)[4], int n, T zero,
                              int32_t *words) {
  for (int i = 0; i < n; ++i) {
    const T *a = planes + int64_t(elements[i][0]) * LANES;
    const T *b = planes + int64_t(elements[i][1]) * LANES;
    const T *c = planes + int64_t(elements[i][2]) * LANES;
    const T *d = planes + int64_t(elements[i][3]) * LANES;
    for (int l = 0; l < LANES; ++l)
      words[i * LANES + l] = quad(uint32_t(a[l] - zero), uint32_t(b[l] - zero),
                                  uint32_t(c[l] - zero), uint32_t(d[l] - zero));
  }
}

template <class T>
ALWAYS_INLINE void pack_pairs(const T *planes, const uint32_t (*elements)[2], int n, T zero,
                              int32_t *words) {
  for (int i = 0; i < n; ++i) {
    const T *a = planes + int64_t(elements[i][0]) * LANES;
    const T *b = planes + int64_t(elements[i][1]) * LANES;
    for (int l = 0; l < LANES; ++l)
      words[i * LANES + l] =
          int32_t((uint32_t(a[l] - zero) & 0xffffu) | uint32_t(b[l] - zero) << 16);
  }
}

template <class T> ALWAYS_INLINE void fill_plane(T *plane, T value) {
  for (int l = 0; l < LANES; ++l) plane[l] = value;
}

// The largest of `n_cells` quads, byte by byte.
ALWAYS_INLINE void largest_quads(const int32_t *quads, const uint32_t *cells, int n_cells,
                                 int32_t *result) {
  alignas(64) uint8_t best[4 * LANES];
  __builtin_memcpy(best, quads + int64_t(cells[0]) * LANES, sizeof best);
  for (int k = 1; k < n_cells; ++k) {
    const uint8_t *other =
        reinterpret_cast<const uint8_t *>(quads + int64_t(cells[k]) * LANES);
    for (int l = 0; l < 4 * LANES; ++l) best[l] = best[l] < other[l] ? other[l] : best[l];
  }
  __builtin_memcpy(result, best, sizeof best);
}

// Events, one after the other, from and to planes; lanes without an event read zeros.
template <class T, class P>
ALWAYS_INLINE void read_events(const T *events, int n_events, int n_elements, P *planes) {
  for (int l = 0; l < LANES; ++l)
    for (int e = 0; e < n_elements; ++e)
      planes[int64_t(e) * LANES + l] = l < n_events ? P(events[int64_t(l) * n_elements + e]) : P(0);
}

template <class T>
ALWAYS_INLINE void read_quads(const T *events, int n_events, int n_quads, T zero,
                              int32_t *quads) {
  for (int l = 0; l < LANES; ++l)
    for (int q = 0; q < n_quads; ++q) {
      const T *x = events + (int64_t(l) * n_quads + q) * 4;
      quads[int64_t(q) * LANES + l] =
          l < n_events ? quad(uint32_t(x[0] - zero), uint32_t(x[1] - zero),
                              uint32_t(x[2] - zero), uint32_t(x[3] - zero))
                       : quad(uint32_t(-zero), uint32_t(-zero), uint32_t(-zero), uint32_t(-zero));
    }
}

template <class P, class T>
ALWAYS_INLINE void write_events(const P *planes, int n_events, int n_elements, T *events) {
  for (int l = 0; l < n_events; ++l)
    for (int e = 0; e < n_elements; ++e)
      events[int64_t(l) * n_elements + e] = T(planes[int64_t(e) * LANES + l]);
}

template <class T> ALWAYS_INLINE T *buffer(unsigned char *workspace, int64_t bytes_per_lane) {
  return reinterpret_cast<T *>(workspace + bytes_per_lane * LANES);
}
