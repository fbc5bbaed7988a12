// The jobs of "Repeat this verdict" for the claims of LAWN: see page_repeat.js.

import {} from "./page_repeat.js";
import {} from "./page_rows_ended.js";
