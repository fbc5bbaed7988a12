/* What every program needs: mathematics of our own, products of matrices.

   No libm and no imports: so the same bytes give the same bits in every browser and in Python.
   H is the heap of the program, in words of one REAL; places are counted from its start. */

extern REAL __heap_base;
#define INFINITY __builtin_inf()
#define NAN __builtin_nan("")
#define H ((REAL*)&__heap_base)
#define INT(o) (*(int*)(H + (o)))
#define DOUBLE(o) (*(double*)(H + (o)))
#define VECTOR _Pragma("clang loop vectorize(assume_safety)")
#define KERNEL static __attribute__((noinline)) void
/* One that is the same in every module, as nothing is known of who calls it. */
#define SHARED __attribute__((noinline, visibility("hidden"))) void
#define PART static inline __attribute__((always_inline))

/* ------------------------------------------------------------------------------- mathematics */

/* Comparisons are written so that NaN comes through: divergence shows at the step of PyTorch. */
#define MAXF(a, b) max_((REAL)(a), (REAL)(b))
#define MINF(a, b) min_((REAL)(a), (REAL)(b))
static inline REAL max_(REAL a, REAL b) { return (a > b || a != a) ? a : b; }
static inline REAL min_(REAL a, REAL b) { return (a < b || a != a) ? a : b; }
static inline REAL RELUF(REAL a) { return a <= 0 ? 0 : a; }
static inline REAL CHOOSEF(int one, REAL a, REAL b) { return one ? a : b; }
static inline REAL SIGNF(REAL a) { return (a > 0) - (a < 0); }
static inline REAL ABSF(REAL a) { return a < 0 ? -a : a; }
static inline double ABSD(double a) { return a < 0 ? -a : a; }
#define SQRTF(x) ((REAL)SQRT_OF_REAL(x))
#define SQRTD(x) __builtin_sqrt(x)

/* The order of operations matters below: each line relies on the rounding of the one before. */
#pragma float_control(precise, on, push)

union Bits { double number; long long word; };

/* e^x: x = k log 2 + r, |r| <= log(2) / 2, Taylor in r to the 13th power: error below 1 ulp. */
static inline double EXPD(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return INFINITY;
  if (x < -745.2) return 0;
  double k = __builtin_floor(x * 1.4426950408889634 + 0.5);
  double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0; p = p * r + 1.0 / 39916800.0; p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0; p = p * r + 1.0 / 40320.0; p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0; p = p * r + 1.0 / 120.0; p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0; p = p * r + 0.5; p = p * r + 1.0; p = p * r + 1.0;
  /* In two factors, as 2^k alone may be beyond the normal numbers. */
  long long half = (long long)k / 2;
  union Bits one = {.word = (half + 1023) << 52}, two = {.word = ((long long)k - half + 1023) << 52};
  return p * one.number * two.number;
}

/* log x: x = m 2^e, m in [sqrt(1/2), sqrt(2)), log m = 2 artanh(f), f = (m - 1) / (m + 1). */
static inline double LOGD(double x) {
  if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
  if (x == INFINITY) return x;
  int e = 0;
  if (x < 2.2250738585072014e-308) { x *= 18014398509481984.0; e = -54; } /* subnormal */
  union Bits u = {.number = x};
  e += (int)(u.word >> 52) - 1023;
  u.word = (u.word & 0xFFFFFFFFFFFFFLL) | 0x3FF0000000000000LL;
  double m = u.number;
  if (m > 1.4142135623730951) { m *= 0.5; e++; }
  double f = (m - 1) / (m + 1), z = f * f, p = 1.0 / 21;
  p = p * z + 1.0 / 19; p = p * z + 1.0 / 17; p = p * z + 1.0 / 15; p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11; p = p * z + 1.0 / 9; p = p * z + 1.0 / 7; p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  return e * 6.93147180369123816490e-01 + (2 * f + (2 * f * z * p + e * 1.90821492927058770002e-10));
}

/* log(1 + x), with the digits of x that 1 + x has lost. */
static inline double LOG1PD(double x) {
  double u = 1 + x;
  if (u == 1 || u != u || u == INFINITY) return u == 1 ? x : u;
  return u <= 0 ? LOGD(u) : LOGD(u) + (x - (u - 1)) / u;
}

/* tanh x: a series where 1 - e^-2x would lose digits. */
static inline double TANHD(double x) {
  double a = x < 0 ? -x : x, z = x * x;
  if (a < 0.02) return x * (1 - z * (1.0 / 3 - z * (2.0 / 15 - z * (17.0 / 315))));
  double t = EXPD(-2 * a);
  t = (1 - t) / (1 + t);
  return x < 0 ? -t : t;
}

/* sin and cos of moderate angles: x = k pi/2 + r with pi/2 in two parts, Taylor in r. */
static inline double sine_part(double r) {
  double z = r * r, p = -1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0; p = p * z - 1.0 / 39916800.0; p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0; p = p * z + 1.0 / 120.0; p = p * z - 1.0 / 6.0;
  return r + r * z * p;
}
static inline double cosine_part(double r) {
  double z = r * r, p = 1.0 / 20922789888000.0;
  p = p * z - 1.0 / 87178291200.0; p = p * z + 1.0 / 479001600.0; p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0; p = p * z - 1.0 / 720.0; p = p * z + 1.0 / 24.0; p = p * z - 0.5;
  return 1 + z * p;
}
static inline double turned(double x, int quarter) {
  double k = __builtin_floor(x * 0.6366197723675814 + 0.5);
  double r = (x - k * 1.5707963267341256) - k * 6.077100506506192e-11;
  int q = ((int)k + quarter) & 3;
  double value = q & 1 ? cosine_part(r) : sine_part(r);
  return q & 2 ? -value : value;
}
static inline double SIND(double x) { return turned(x, 0); }
static inline double COSD(double x) { return turned(x, 1); }

#pragma float_control(pop)

#define EXPF(x) ((REAL)EXPD(x))
#define LOGF(x) ((REAL)LOGD(x))
#define LOG1PF(x) ((REAL)LOG1PD(x))
#define TANHF(x) ((REAL)TANHD(x))
#define SINF(x) ((REAL)SIND(x))
#define COSF(x) ((REAL)COSD(x))

/* ------------------------------------------------------------------------ products of matrices */

typedef REAL Lanes __attribute__((vector_size(16), aligned(sizeof(REAL))));
enum { WIDE = 16 / sizeof(REAL) };
PART Lanes get(const REAL* p) { return *(const Lanes*)p; }
PART void put(REAL* p, Lanes v) { *(Lanes*)p = v; }
PART REAL total(Lanes v) {
  REAL sum = 0;
  for (int i = 0; i < WIDE; i++) sum += v[i];
  return sum;
}

/* Rows of A times rows of B, both without gaps: a block of 2 x 4 results at a time. */
PART void by_dots(const REAL* A, int a0, const REAL* B, int b1, REAL* C, int M, int N, int K) {
  for (int i = 0; i < M; i += 2) {
    const REAL *p = A + i * a0, *q = i + 1 < M ? p + a0 : p;
    for (int j = 0; j < N; j += 4) {
      const REAL* row[4];
      for (int r = 0; r < 4; r++) row[r] = B + (j + r < N ? j + r : N - 1) * b1;
      Lanes s[4] = {{0}}, t[4] = {{0}};
      int k = 0;
      for (; k + WIDE <= K; k += WIDE) {
        Lanes u = get(p + k), v = get(q + k);
#pragma unroll
        for (int r = 0; r < 4; r++) { Lanes w = get(row[r] + k); s[r] += u * w; t[r] += v * w; }
      }
#pragma unroll
      for (int r = 0; r < 4; r++) {
        REAL one = total(s[r]), two = total(t[r]);
        for (int l = k; l < K; l++) { one += p[l] * row[r][l]; two += q[l] * row[r][l]; }
        if (j + r < N) { C[i * N + j + r] = one; if (i + 1 < M) C[(i + 1) * N + j + r] = two; }
      }
    }
  }
}

/* ROWS rows of C from rows of B without gaps, two vectors at a time. */
#define BY_ROWS(NAME, ROWS)                                                                       \
  PART void NAME(const REAL* A, int a0, int a1, const REAL* B, int b0, REAL* C, int N,   \
                          int K) {                                                                \
    int j = 0;                                                                                    \
    for (; j + 2 * WIDE <= N; j += 2 * WIDE) {                                                    \
      Lanes s[ROWS] = {{0}}, t[ROWS] = {{0}};                                                     \
      for (int k = 0; k < K; k++) {                                                               \
        Lanes u = get(B + k * b0 + j), v = get(B + k * b0 + j + WIDE);                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                        \
          REAL a = A[r * a0 + k * a1];                                                            \
          s[r] += a * u; t[r] += a * v;                                                           \
        }                                                                                         \
      }                                                                                           \
      _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                          \
        put(C + r * N + j, s[r]); put(C + r * N + j + WIDE, t[r]);                                \
      }                                                                                           \
    }                                                                                             \
    for (; j < N; j++) {                                                                          \
      REAL s[ROWS] = {0};                                                                         \
      for (int k = 0; k < K; k++)                                                                 \
        for (int r = 0; r < ROWS; r++) s[r] += A[r * a0 + k * a1] * B[k * b0 + j];                \
      for (int r = 0; r < ROWS; r++) C[r * N + j] = s[r];                                         \
    }                                                                                             \
  }
BY_ROWS(four_rows, 4)
BY_ROWS(one_row, 1)

/* C[M, N] = A[M, K] B[K, N], plus a bias for each column: A and B with any strides, C without
   gaps. */
SHARED multiply(int ao, int a0, int a1, int bo, int b0, int b1, int co, int M, int N, int K,
                int bias, int has_bias) {
  const REAL *A = H + ao, *B = H + bo, *V = H + bias;
  REAL* C = H + co;
  if (a1 == 1 && b0 == 1 && K >= WIDE) {
    by_dots(A, a0, B, b1, C, M, N, K);
  } else if (b1 == 1 || N == 1) {
    int i = 0;
    for (; i + 4 <= M; i += 4) four_rows(A + i * a0, a0, a1, B, b0, C + i * N, N, K);
    for (; i < M; i++) one_row(A + i * a0, a0, a1, B, b0, C + i * N, N, K);
  } else {
    for (int i = 0; i < M; i++)
      for (int j = 0; j < N; j++) {
        REAL sum = 0;
        for (int k = 0; k < K; k++) sum += A[i * a0 + k * a1] * B[k * b0 + j * b1];
        C[i * N + j] = sum;
      }
  }
  for (int i = 0; has_bias && i < M; i++)
    VECTOR for (int j = 0; j < N; j++) C[i * N + j] += V[j];
}
