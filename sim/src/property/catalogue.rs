//! All properties of the process, and which of them a check answers for.
//!
//! A test binary has many tests, and none comes to all properties. So a check answers for those of its own function,
//! and for those of each *room* in which it came to one: a room is a file, but in the file of the check, which may
//! have other tests, it is a function.

use super::{Catalogued, Count, Property, PropertyCount, PropertyKind};
use crate::point::Site;
use std::{
    collections::BTreeSet,
    sync::{OnceLock, atomic::Ordering::Relaxed},
};

/// The places that state properties, by name, kind and place; their numbers are their indices.
pub(crate) struct Catalogue(Vec<&'static Property>);

static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

impl Catalogue {
    /// Numbers all properties, once in the process; to be called before a run comes to one.
    pub(crate) fn get() -> &'static Catalogue {
        CATALOGUE.get_or_init(|| {
            let mut all: Vec<&Property> = inventory::iter::<Catalogued>().map(|it| it.0).collect();
            all.sort_by_key(|it| (it.name, it.kind, it.file, it.line));
            for (number, property) in all.iter().enumerate() {
                property.number.store(number as u32, Relaxed);
            }
            Catalogue(all)
        })
    }

    /// What the check at `site` answers for, with what its runs counted.
    pub(crate) fn of_check(
        &self,
        name: Option<&str>,
        site: Site,
        counts: &[Count],
    ) -> Vec<PropertyCount> {
        let room = |it: &Property| (it.file, (it.file == site.file()).then(|| function(it)));
        let counted = counts.iter().zip(&self.0).filter(|(count, _)| count.reached > 0);
        let rooms: BTreeSet<_> = counted.map(|(_, it)| room(it)).collect();
        let own = |it: &Property| name.is_some_and(|name| is_within(&function(it), name));
        let mut properties: Vec<PropertyCount> = Vec::new();
        for (number, it) in self.0.iter().enumerate() {
            if !own(it) && !rooms.contains(&room(it)) {
                continue;
            }
            let count = counts.get(number).copied().unwrap_or_default();
            match properties.last_mut() {
                Some(last) if (&*last.name, last.kind) == (it.name, it.kind) => last.add(count),
                _ => properties.push(it.counted(count)),
            }
        }
        properties
    }
}

/// The path of the function that a property stands in, without closures and async blocks.
fn function(property: &Property) -> String {
    let path = (property.here)();
    let path = path.strip_suffix("::here").unwrap_or(path);
    path.split("::{{").next().unwrap_or(path).to_string()
}

fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl Property {
    fn counted(&self, count: Count) -> PropertyCount {
        PropertyCount {
            name: self.name.to_string(),
            kind: self.kind,
            site: format!("{}:{}", self.file, self.line),
            reached: count.reached,
            held: count.held,
        }
    }
}

impl PropertyCount {
    fn add(&mut self, count: Count) {
        self.reached += count.reached;
        self.held += count.held;
    }

    /// What is missing, if runs should have come to more.
    pub(crate) fn missing(&self) -> Option<String> {
        let PropertyCount { name, kind, site, reached, held } = self;
        let what = match (kind, reached, held) {
            (PropertyKind::Unreachable, ..) => return None,
            (_, 0, _) => "was reached in no run".to_string(),
            (PropertyKind::Sometimes, reached, 0) => {
                format!("was true none of the {reached} times that it was reached")
            }
            _ => return None,
        };
        Some(format!("the {kind} property {name:?} {what}, at {site} (lint unreached_property)"))
    }
}
