//! The seed of a run: the one number from which all of its choices follow.

use crate::mix::{GOLDEN, mix};
use alloc::string::String;
use core::{fmt, str::FromStr};

/// Fixes a run: its strategy and every answer that no tape gives.
///
/// ```
/// use sim_choice::Seed;
///
/// assert_eq!(Seed(42).to_string(), "0x2a");
/// assert_eq!("0x2a".parse(), Ok(Seed(42)));
/// assert_eq!("42".parse(), Ok(Seed(42)));
/// assert_eq!(
///     "4x".parse::<Seed>().unwrap_err().to_string(),
///     "invalid seed `4x`: a seed is a 64-bit number, decimal (42) or hexadecimal (0x2a)",
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of run `i`, below 2^56, in the series that starts from this base seed.
    ///
    /// Neighbouring bases and neighbouring `i` give unrelated seeds; within one series no seed comes twice. All
    /// seeds of a series agree in their [`series`](Seed::series), which is not that of the base.
    ///
    /// ```
    /// # use sim_choice::Seed;
    /// assert_ne!(Seed(7).derive(0), Seed(7));
    /// assert_ne!(Seed(7).derive(1), Seed(8).derive(0));
    /// assert_eq!(Seed(7).derive(0).series(), Seed(7).derive(1).series());
    /// ```
    #[must_use]
    pub const fn derive(self, i: u64) -> Seed {
        // The base is mixed by itself first, else the series of two bases would be shifts of each other.
        let base = mix(self.0 ^ 0x5eed_5eed_5eed_5eed);
        Seed::of_series(
            base as u8,
            (base >> 8).wrapping_add(i.wrapping_add(1).wrapping_mul(GOLDEN)),
        )
    }

    /// The part of a seed that all runs of a check have in common: by it a run knows what the others, of
    /// which it is none, have learned from.
    #[must_use]
    pub const fn series(self) -> u8 {
        self.0 as u8
    }

    /// A seed of the series, another for each `i` below 2^56.
    pub(crate) const fn of_series(series: u8, i: u64) -> Seed {
        // A bijection of 56 bits, as `mix` is one of 64: each step can be undone.
        let word = i & MASK;
        let word = (word ^ (word >> 27)).wrapping_mul(0xbf58_476d_1ce4_e5b9) & MASK;
        let word = (word ^ (word >> 25)).wrapping_mul(0x94d0_49bb_1331_11eb) & MASK;
        Seed((word ^ (word >> 28)) << 8 | series as u64)
    }
}

/// The bits of a seed but those of its series.
const MASK: u64 = (1 << 56) - 1;

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = ParseSeedError;

    fn from_str(text: &str) -> Result<Seed, ParseSeedError> {
        let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => number(digits, 16),
            None => number(text, 10),
        };
        parsed.map(Seed).ok_or_else(|| ParseSeedError { operand: text.into() })
    }
}

/// `from_str_radix` takes a sign too, which a seed has not.
fn number(digits: &str, radix: u32) -> Option<u64> {
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// The text is no seed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ParseSeedError {
    /// The text.
    pub operand: String,
}

impl fmt::Display for ParseSeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = &self.operand;
        write!(
            f,
            "invalid seed `{operand}`: a seed is a 64-bit number, decimal (42) or hexadecimal (0x2a)"
        )
    }
}

impl core::error::Error for ParseSeedError {}
