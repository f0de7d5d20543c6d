//! What the functions of the sample app have in common: names and types.
