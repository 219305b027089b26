//! A number for a name: the same in every process, as std's hashes need not be.

/// FNV-1a, see <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub(crate) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
