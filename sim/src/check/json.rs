//! Reports for programs: one line of JSON (RFC 8259) for each check.
//!
//! Only written, never read, so that no library is needed.

use super::{Classes, Failure, Report};
use crate::{PropertyCount, faults::FaultCount};
use std::fmt::Write;

impl Report {
    /// The report as one line of JSON. A check with a name also writes it to `NAME.jsonl`, `::` of the name
    /// replaced by `-`, in the folder `SIM_OUT` (default `target/sim`, and none for a doc test); the next check of
    /// that name replaces it.
    ///
    /// | key | value |
    /// |---|---|
    /// | `test` | the name of the test; null if it has none |
    /// | `runs`, `steps` | as in [`Report`] |
    /// | `classes` | `runs`, `distinct`, `unseen_per_mille`, see [`Classes`] |
    /// | `faults` | an array of `kind`, `injected`, `effective`, see [`FaultCount`] |
    /// | `failure` | null, or what is below |
    /// | `warnings` | an array of texts |
    /// | `properties` | an array of `name`, `kind`, `site`, `reached`, `held`, see [`PropertyCount`] |
    ///
    /// A failure has `kind` (the name of the [`FailureKind`](crate::FailureKind)), `message`, `seed` (a text such as
    /// `"0x2a"`: not all programs read numbers of 64 bits), `strategy`, `at_ns` (virtual time since the start of the
    /// run), `task`, `spawned_at` and `tape` (the file, if one was written), each of which may be null, `rerun` (what
    /// runs it again), and `trace` (an array of the last events).
    ///
    /// ```
    /// let report = sim::check(sim::Config::new().seeds(3).name("a \"quiet\" test"), || async {});
    /// let json = report.to_json();
    /// assert!(json.starts_with(r#"{"test":"a \"quiet\" test","runs":3,"steps":"#));
    /// assert!(json.ends_with(r#""failure":null,"warnings":[],"properties":[]}"#));
    /// ```
    pub fn to_json(&self) -> String {
        let mut object = Object::new();
        object.text_or_null("test", self.name.as_deref());
        object.number("runs", self.runs);
        object.number("steps", self.steps);
        object.raw("classes", &classes(&self.classes));
        object.raw("faults", &array(self.faults.iter().map(fault)));
        object.raw("failure", &self.failure.as_ref().map_or("null".into(), failure));
        object.raw("warnings", &texts(&self.warnings));
        object.raw("properties", &array(self.properties.iter().map(property)));
        object.end()
    }
}

fn classes(classes: &Classes) -> String {
    let mut object = Object::new();
    object.number("runs", classes.runs);
    object.number("distinct", classes.distinct);
    object.number("unseen_per_mille", classes.unseen_per_mille);
    object.end()
}

fn fault(count: &FaultCount) -> String {
    let mut object = Object::new();
    object.text("kind", count.kind.name());
    object.number("injected", count.injected);
    object.number("effective", count.effective);
    object.end()
}

fn failure(failure: &Failure) -> String {
    let tape = failure.tape_file.as_ref().map(|path| path.display().to_string());
    let mut object = Object::new();
    object.text("kind", &format!("{:?}", failure.kind));
    object.text("message", &failure.message);
    object.text("seed", &failure.seed.to_string());
    object.text("strategy", &failure.strategy);
    object.number("at_ns", u64::try_from(failure.at.as_nanos()).unwrap_or(u64::MAX));
    object.text_or_null("task", failure.task.as_deref());
    object.text_or_null("spawned_at", failure.spawned_at.as_deref());
    object.text_or_null("tape", tape.as_deref());
    object.text("rerun", &failure.rerun);
    object.raw("trace", &texts(&failure.trace));
    object.end()
}

fn property(property: &PropertyCount) -> String {
    let mut object = Object::new();
    object.text("name", &property.name);
    object.text("kind", &property.kind.to_string());
    object.text("site", &property.site);
    object.number("reached", property.reached);
    object.number("held", property.held);
    object.end()
}

/// An object, key by key.
struct Object(String);

impl Object {
    fn new() -> Object {
        Object("{".into())
    }

    /// `value` is JSON already.
    fn raw(&mut self, key: &str, value: &str) {
        let comma = if self.0.len() > 1 { "," } else { "" };
        let _ = write!(self.0, "{comma}{}:{value}", quoted(key));
    }

    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &quoted(value));
    }

    fn text_or_null(&mut self, key: &str, value: Option<&str>) {
        self.raw(key, &value.map_or("null".into(), quoted));
    }

    fn number(&mut self, key: &str, value: u64) {
        self.raw(key, &value.to_string());
    }

    fn end(self) -> String {
        self.0 + "}"
    }
}

fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

fn texts(texts: &[String]) -> String {
    array(texts.iter().map(|text| quoted(text)))
}

/// A string: quotation marks, backslashes and control characters are escaped (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            '\n' => write!(quoted, "\\n"),
            '\0'..'\u{20}' => write!(quoted, "\\u{:04x}", u32::from(c)),
            c => write!(quoted, "{c}"),
        };
    }
    quoted + "\""
}
