// Rounding and overflow of fixed-point numbers, on raw integers.
//
// Included once for every instruction set, inside a namespace of its own; so there is no
// include guard. Every function takes a type wide enough for what it computes: the
// generator has proved it.

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// Drop D low bits.
template <class T, int D> ALWAYS_INLINE T truncated(T v) { return v >> D; }

template <class T, int D> ALWAYS_INLINE T truncated_to_zero(T v) {
  return (v + (v < 0 ? (T(1) << D) - 1 : T(0))) >> D;
}

template <class T, int D> ALWAYS_INLINE T rounded_up(T v) {
  return (v + (T(1) << (D - 1))) >> D;
}

template <class T, int D> ALWAYS_INLINE T rounded_down(T v) {
  return (v + ((T(1) << (D - 1)) - 1)) >> D;
}

template <class T, int D> ALWAYS_INLINE T rounded_to_zero(T v) {
  return (v + ((T(1) << (D - 1)) - 1) + T(v < 0)) >> D;
}

template <class T, int D> ALWAYS_INLINE T rounded_to_infinity(T v) {
  return (v + (T(1) << (D - 1)) - T(v < 0)) >> D;
}

template <class T, int D> ALWAYS_INLINE T rounded_to_even(T v) {
  return (v + ((T(1) << (D - 1)) - 1) + ((v >> D) & 1)) >> D;
}

// Keep the low W bits, read as a signed or an unsigned number.
template <class T, int W> ALWAYS_INLINE T wrapped(T v) {
  typedef typename Unsigned<T>::type U;
  return T(U(v) << (8 * sizeof(T) - W)) >> (8 * sizeof(T) - W);
}

template <class T, int W> ALWAYS_INLINE T wrapped_unsigned(T v) {
  typedef typename Unsigned<T>::type U;
  return T(U(v) & ((U(1) << W) - 1));
}

template <class T> ALWAYS_INLINE T clipped(T v, T low, T high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}

template <class T> ALWAYS_INLINE T zeroed(T v, T low, T high) {
  return (v < low) | (v > high) ? T(0) : v;
}

template <class T> ALWAYS_INLINE T larger(T a, T b) { return a > b ? a : b; }
