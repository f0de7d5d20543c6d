//! Sample function import-airports.
