// The jobs of the clinic's cards, "t1" and so on; what bnlab.lab.clinic computes with a kernel. Each
// module adds its own to JOBS.

import {} from "./page_t1.js";
import {} from "./page_t2.js";
import {} from "./page_t3.js";
import {} from "./page_t4.js";
import {} from "./page_t5.js";
import {} from "./page_t6.js";
import {} from "./page_t7.js";
import {} from "./page_t8.js";
