//! The attributes and macros of `sim`.
