//! What a task gave, its type hidden; whether it is an error still can be told.

use std::{
    any::{Any, type_name},
    error::Error,
    fmt::Debug,
    io,
    mem::discriminant,
};

/// The output of a task, type erased.
pub(crate) trait Output: Any {
    /// For the handle, which knows the type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// If it is an `Err`, what it says: its `Debug` where the type is one of those known here, else its type.
    fn error(&self) -> Option<String>;
}

impl<T: Any> Output for T {
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn error(&self) -> Option<String> {
        if !is_err(self) {
            return None;
        }
        let known = [
            debug::<String>,
            debug::<&'static str>,
            debug::<io::Error>,
            debug::<Box<dyn Error + Send + Sync>>,
            debug::<Box<dyn Error + Send>>,
            debug::<crate::task::JoinError>,
        ];
        let text = known.iter().find_map(|debug| debug(self));
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

/// The error of a task that gives nothing else.
fn debug<E: Debug + 'static>(value: &dyn Any) -> Option<String> {
    match value.downcast_ref::<Result<(), E>>()? {
        Ok(()) => None,
        Err(error) => Some(format!("{error:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::Output;
    use std::io;

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
        check(Err::<u8, u8>(1), Some("an error of the type core::result::Result<u8, u8>"));
    }
}
