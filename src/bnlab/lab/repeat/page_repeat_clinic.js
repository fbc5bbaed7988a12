// The jobs of "Repeat this verdict" for the claims of the clinic: see page_repeat.js. Each module of a
// kind of rows adds its own to ROWS.

import {} from "./page_repeat.js";
import {} from "./page_rows_race.js";
import {} from "./page_rows_t1.js";
import {} from "./page_rows_t3.js";
import {} from "./page_rows_t4.js";
