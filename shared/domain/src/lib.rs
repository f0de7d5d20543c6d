//! What is true of Dacapo: names, times, retries, and the life of a run. No I/O, no clock, no async.
