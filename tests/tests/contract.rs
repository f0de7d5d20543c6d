//! The ports' contract, for the embedded engine's database in both its homes.

use dacapo_tests::{contract, contract::SqliteBench};

contract!(sqlite_memory, SqliteBench::memory());
contract!(sqlite_file, SqliteBench::file());
