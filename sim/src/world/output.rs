//! What a task gave, its type hidden; whether it is an error still can be told.

use crate::task::JoinError;
use std::{
    any::{Any, type_name},
    error::Error,
    fmt::{self, Debug},
    io,
    mem::discriminant,
    time::Duration,
};

/// The output of a task, type erased.
pub(crate) trait Output: Any {
    /// For the handle, which knows the type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// If it is an `Err`, what it says: its `Debug` where the type is one of those known here, else its type.
    fn error(&self) -> Option<String>;
}

/// The `Debug` of the error, if it is one of these types and what the task gives else is a usual one: nothing says of a
/// type that is not known whether it can be printed.
macro_rules! debug_of {
    ($output:expr; $($error:ty),*) => {
        None$(.or_else(|| any_ok::<$error>($output)))*
    };
}

impl<T: Any> Output for T {
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn error(&self) -> Option<String> {
        if !is_err(self) {
            return None;
        }
        let text = debug_of!(self; String, &'static str, io::Error, Box<dyn Error + Send + Sync>, Box<dyn Error + Send>,
            fmt::Error, JoinError, u8, i32, u32, u64, ());
        Some(text.unwrap_or_else(|| format!("an error of the type {}", type_name::<T>())))
    }
}

/// Whether the value is the `Err` of some `Result`. Nothing can be asked of a type that is not known but its
/// name and which variant a value is: `Ok` is the first of two (core::result).
fn is_err<T: Any>(value: &T) -> bool {
    let ok = discriminant(&Ok::<(), ()>(()));
    type_name::<T>().starts_with("core::result::Result<")
        && format!("{:?}", discriminant(value)) != format!("{ok:?}")
}

/// The error of that type, whatever the task gives if there is none.
fn any_ok<E: Debug + 'static>(output: &dyn Any) -> Option<String> {
    macro_rules! with_ok {
        ($($ok:ty),*) => {
            None$(.or_else(|| debug::<$ok, E>(output)))*
        };
    }
    with_ok!(
        (),
        bool,
        char,
        u8,
        u16,
        u32,
        u64,
        u128,
        usize,
        i8,
        i16,
        i32,
        i64,
        isize,
        f32,
        f64,
        String,
        &'static str,
        Vec<u8>,
        Vec<String>,
        Option<u32>,
        Option<u64>,
        Option<String>,
        Duration
    )
}

fn debug<T: 'static, E: Debug + 'static>(output: &dyn Any) -> Option<String> {
    let result = output.downcast_ref::<Result<T, E>>()?;
    result.as_ref().err().map(|error| format!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use super::Output;
    use std::{any::type_name, io};

    #[track_caller]
    fn check<T: Output>(value: T, expected: Option<&str>) {
        assert_eq!(value.error().as_deref(), expected);
    }

    #[test]
    fn errors_are_told_from_all_else() {
        check((), None);
        check(Some(3), None);
        check(None::<u8>, None);
        check(Ok::<_, String>(()), None);
        check(Ok::<_, u8>(vec![1]), None);
        check(Ok::<Box<u8>, ()>(Box::new(1)), None);
        check(Err::<(), _>("no".to_string()), Some("\"no\""));
        check(
            Err::<(), _>(io::Error::other("full")),
            Some("Custom { kind: Other, error: \"full\" }"),
        );
        check(
            Err::<Box<u8>, ()>(()),
            Some("an error of the type core::result::Result<alloc::boxed::Box<u8>, ()>"),
        );
        check(Err::<u8, u8>(1), Some("1"));
        check(Err::<Vec<u8>, _>("no"), Some("\"no\""));
        struct Own;
        let own = type_name::<Result<u8, Own>>();
        check(Err::<u8, Own>(Own), Some(&format!("an error of the type {own}")));
    }
}
