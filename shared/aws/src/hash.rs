//! The hash that names and shards are made of.

/// FNV-1a, 64 bits: stable over versions and machines, which the standard hasher isn't.
pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
