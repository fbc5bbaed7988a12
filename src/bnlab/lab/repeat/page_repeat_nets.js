// The jobs of "Repeat this verdict" for claims about nets with each normalizer: see page_repeat.js. Each
// module of a kind of rows adds its own to ROWS.

import {} from "./page_repeat.js";
import {} from "./page_rows_t8.js";
