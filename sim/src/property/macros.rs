//! The macros that state properties.

/// States a property: makes the static, and calls a method of it.
#[doc(hidden)]
#[macro_export]
macro_rules! __property {
    ($kind:ident, $name:expr, $method:ident($($argument:expr),*)) => {{
        fn here() {}
        static PROPERTY: $crate::__private::Property = $crate::__private::Property::new(
            $crate::PropertyKind::$kind,
            $name,
            (::core::file!(), ::core::line!()),
            || ::core::any::type_name_of_val(&here),
        );
        $crate::__private::inventory::submit! { $crate::__private::Catalogued(&PROPERTY) }
        PROPERTY.$method($($argument),*)
    }};
}

/// States that `condition` is true whenever the program comes here, and that it comes here.
///
/// If the condition is false the run fails at once, as [`FailureKind::Assertion`](crate::FailureKind::Assertion),
/// with the name, the place, and what a format string behind the name says. If no run of a check comes here
/// the lint `unreached_property` says so; a check answers for the properties of its own function and of the files
/// in which it came to one (of its own file: the functions).
///
/// The name is a constant; properties of one name and kind are counted as one. Outside of a simulation only the
/// condition is evaluated.
///
/// ```
/// let report = sim::check(sim::Config::new(), || async {
///     let (debit, credit) = (3, 4);
///     sim::assert_always!(debit == credit, "books balance", "debit {debit}, credit {credit}");
/// });
/// let failure = report.failure.unwrap();
/// assert_eq!(failure.kind, sim::FailureKind::Assertion);
/// assert!(failure.message.contains("\"books balance\" does not hold"));
/// assert!(failure.message.ends_with("debit 3, credit 4"));
/// ```
#[macro_export]
macro_rules! assert_always {
    ($condition:expr, $name:expr $(,)?) => {{
        let held: bool = $condition;
        $crate::__property!(Always, $name, always(held, &::std::string::String::new))
    }};
    ($condition:expr, $name:expr, $($details:tt)+) => {{
        let held: bool = $condition;
        $crate::__property!(Always, $name, always(held, &|| ::std::format!($($details)+)))
    }};
}

/// States that `condition` is true at least once in all runs of a check: that the test gets to what it is for.
///
/// If it never is, the lint `unreached_property` says so; see [`assert_always!`](crate::assert_always) for which
/// checks answer for it. Nothing fails at once, and outside of a simulation only the condition is evaluated.
///
/// ```
/// let report = sim::check(sim::Config::new(), || async {
///     let retries = 0;
///     sim::assert_sometimes!(retries > 0, "a request is tried again");
/// });
/// assert!(report.failure.is_none());
/// assert!(report.warnings[0].contains("\"a request is tried again\" was true none of the 200 times"));
/// ```
#[macro_export]
macro_rules! assert_sometimes {
    ($condition:expr, $name:expr $(,)?) => {{
        let held: bool = $condition;
        $crate::__property!(Sometimes, $name, sometimes(held))
    }};
}

/// States that at least one run of a check comes here.
///
/// If none does, the lint `unreached_property` says so, as of [`assert_sometimes!`](crate::assert_sometimes).
///
/// ```
/// let report = sim::check(sim::Config::new(), || async {
///     sim::assert_reachable!("the test runs");
///     if sim::time::Instant::now().elapsed().as_secs() > 3600 {
///         sim::assert_reachable!("the hour is over");
///     }
/// });
/// assert!(report.warnings[0].contains("\"the hour is over\" was reached in no run"));
/// ```
#[macro_export]
macro_rules! assert_reachable {
    ($name:expr $(,)?) => {
        $crate::__property!(Reachable, $name, sometimes(true))
    };
}

/// States that the program never comes here: if it does, the run fails at once, as
/// [`FailureKind::Assertion`](crate::FailureKind::Assertion), with what a format string behind the name says.
///
/// Outside of a simulation it does nothing: unlike `unreachable!` it may stay in production.
///
/// ```
/// let report = sim::check(sim::Config::new(), || async {
///     sim::assert_unreachable!("two leaders", "{} and {}", 1, 2);
/// });
/// assert!(report.failure.unwrap().message.contains("\"two leaders\" was reached"));
/// ```
#[macro_export]
macro_rules! assert_unreachable {
    ($name:expr $(,)?) => {
        $crate::__property!(Unreachable, $name, unreachable(&::std::string::String::new))
    };
    ($name:expr, $($details:tt)+) => {
        $crate::__property!(Unreachable, $name, unreachable(&|| ::std::format!($($details)+)))
    };
}
