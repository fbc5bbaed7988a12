/* Products of matrices as runtime.c has them, with lanes as wide as the machine's.

   Each number of the result is the same sum, in the same order: from WIDE partial sums of every
   WIDE-th term where both factors lie in rows, else from one. Only what is summed at once differs. */

enum { WIDE = 16 / sizeof(REAL), LANES_ = WIDTH / sizeof(REAL), BLOCK = 2 * LANES_ };
typedef REAL Wide __attribute__((vector_size(WIDTH)));
typedef Wide Placed __attribute__((aligned(1), may_alias));
typedef REAL Number __attribute__((aligned(1), may_alias));
typedef REAL Narrow __attribute__((vector_size(16)));
typedef Narrow PlacedNarrow __attribute__((aligned(1), may_alias));

/* Sums of A[r, k] B[k, j] over k = 0, by, 2 by ... < K, for ROWS rows and VECTORS times LANES_ j,
   into C, whose rows are c0 apart. */
#define BLOCK_OF(NAME, ROWS, VECTORS)                                                              \
  OPERATION void NAME(const Number* A, long a0, long a1, const Number* B, long b0, long K,         \
                      long by, Number* C, long c0) {                                               \
    Wide sum[ROWS][VECTORS];                                                                       \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                               \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[r][v] = (Wide){0};                   \
    for (long k = 0; k < K; k += by) {                                                             \
      Wide b[VECTORS];                                                                             \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++)                                          \
        b[v] = *(const Placed*)(B + k * b0 + v * LANES_);                                          \
      _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                           \
        REAL a = A[r * a0 + k * a1];                                                               \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[r][v] += a * b[v];                 \
      }                                                                                            \
    }                                                                                              \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                               \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++)                                          \
        *(Placed*)(C + r * c0 + v * LANES_) = sum[r][v];                                           \
  }
BLOCK_OF(block_4_2, 4, 2)
BLOCK_OF(block_4_1, 4, 1)
BLOCK_OF(block_1_2, 1, 2)
BLOCK_OF(block_1_1, 1, 1)

OPERATION void block_of(int rows, int vectors, const Number* A, long a0, long a1, const Number* B,
                        long b0, long K, long by, Number* C, long c0) {
  if (rows == 4 && vectors == 2) block_4_2(A, a0, a1, B, b0, K, by, C, c0);
  else if (rows == 4) block_4_1(A, a0, a1, B, b0, K, by, C, c0);
  else if (vectors == 2) block_1_2(A, a0, a1, B, b0, K, by, C, c0);
  else block_1_1(A, a0, a1, B, b0, K, by, C, c0);
}

/* B (b0 apart along k, without gaps along j), one accumulator each; N is a multiple of LANES_. */
OWN void by_rows(const Number* A, long a0, long a1, const Number* B, long b0, Number* C, long M,
                 long N, long K) {
  for (long j = 0; j < N; j += BLOCK) {
    int vectors = N - j > LANES_ ? 2 : 1;
    for (long i = 0, rows; i < M; i += rows) {
      rows = M - i >= 4 ? 4 : 1;
      block_of(rows, vectors, A + i * a0, a0, a1, B + j, b0, K, 1, C + i * N + j, N);
    }
  }
}

enum { ROWS = WIDTH / 16, MOST = 2 * ROWS, COLUMNS = 4, DEEPEST = 512 };

/* GROUPS times ROWS rows of A, one in each part of a vector, times COLUMNS rows of B: as many
   partial sums each as a part has lanes, added one after the other. */
#define DOTS_OF(NAME, GROUPS)                                                                      \
  OPERATION void NAME(const REAL* packed, const Number* const* row, long K, REAL* to) {            \
    Wide s[GROUPS][COLUMNS];                                                                       \
    _Pragma("unroll") for (int g = 0; g < GROUPS; g++)                                             \
      _Pragma("unroll") for (int c = 0; c < COLUMNS; c++) s[g][c] = (Wide){0};                     \
    for (long k = 0; k < K; k += WIDE) {                                                           \
      Wide a[GROUPS];                                                                              \
      _Pragma("unroll") for (int g = 0; g < GROUPS; g++)                                           \
        a[g] = *(const Wide*)(packed + (k / WIDE * 2 + g) * LANES_);                               \
      _Pragma("unroll") for (int c = 0; c < COLUMNS; c++) {                                        \
        Narrow x = *(const PlacedNarrow*)(row[c] + k);                                             \
        Wide b = SPREAD(x);                                                                        \
        _Pragma("unroll") for (int g = 0; g < GROUPS; g++) s[g][c] += a[g] * b;                    \
      }                                                                                            \
    }                                                                                              \
    _Pragma("unroll") for (int g = 0; g < GROUPS; g++)                                             \
      _Pragma("unroll") for (int c = 0; c < COLUMNS; c += WIDE) {                                  \
        Wide* x = s[g] + c;                                                                        \
        Wide sum = SUMMED(x);                                                                      \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                           \
          for (int l = 0; l < WIDE; l++) to[(g * ROWS + r) * COLUMNS + c + l] = sum[r * WIDE + l]; \
      }                                                                                            \
  }
DOTS_OF(two_groups, 2)
DOTS_OF(one_group, 1)

/* Rows of A times rows of B: WIDE partial sums each, added one after the other, then the rest. */
OWN void by_dots(const Number* A, long a0, const Number* B, long b1, Number* C, long M, long N,
                 long K) {
  REAL packed[DEEPEST * MOST] __attribute__((aligned(64)));
  REAL sums[MOST * COLUMNS] __attribute__((aligned(64)));
  long whole = K / WIDE * WIDE;
  for (long i = 0; i < M; i += MOST) {
    long rows = M - i < MOST ? M - i : MOST;
    for (long r = 0; r < MOST; r++) {
      const Number* from = A + (i + (r < rows ? r : rows - 1)) * a0;
      for (long k = 0; k < whole; k += WIDE)
        *(PlacedNarrow*)(packed + k * MOST + r * WIDE) = *(const PlacedNarrow*)(from + k);
    }
    for (long j = 0; j < N; j += COLUMNS) {
      long columns = N - j < COLUMNS ? N - j : COLUMNS;
      const Number* row[COLUMNS];
      for (long c = 0; c < COLUMNS; c++) row[c] = B + (j + (c < columns ? c : columns - 1)) * b1;
      if (rows > ROWS) two_groups(packed, row, whole, sums);
      else one_group(packed, row, whole, sums);
      Number* to = C + i * N + j;
      if (whole == K && columns == COLUMNS) {
        for (long r = 0; r < rows; r++, to += N)
          for (long c = 0; c < COLUMNS; c += WIDE)
            *(PlacedNarrow*)(to + c) = *(Narrow*)(sums + r * COLUMNS + c);
        continue;
      }
      for (long r = 0; r < rows; r++, to += N)
        for (long c = 0; c < columns; c++) {
          REAL sum = sums[r * COLUMNS + c];
          for (long k = whole; k < K; k++) sum += A[(i + r) * a0 + k] * row[c][k];
          to[c] = sum;
        }
    }
  }
}

/* The function ``multiply`` of runtime.c; 0 where it is left to the translated one. */
OWN int wide_multiply(u8* m, s32 ao, s32 a0, s32 a1, s32 bo, s32 b0, s32 b1, s32 co, s32 M, s32 N,
                      s32 K, s32 bias, s32 has_bias) {
  Number* H = (Number*)(m + wasm_heap(m));
  if (a1 == 1 && b0 == 1 && K >= WIDE) {
    if (K > DEEPEST) return 0;
    by_dots(H + ao, a0, H + bo, b1, H + co, M, N, K);
  } else {
    if (b1 != 1 || N % LANES_) return 0;
    by_rows(H + ao, a0, a1, H + bo, b0, H + co, M, N, K);
  }
  Number *C = H + co, *V = H + bias;
  for (long i = 0; has_bias && i < M; i++)
    for (long j = 0; j < N; j++) C[i * N + j] += V[j];
  return 1;
}
