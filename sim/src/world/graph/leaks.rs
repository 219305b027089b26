//! What is left when main has ended: tasks that wait while they hold a lock or permits, and tasks that wait
//! for permits that were forgotten, or for messages that only tasks could send which wait themselves. A task that
//! holds nothing, and has clients left, is a background server, and no leak.

use super::{Share, World, channels::Has};
use crate::{check::FailureKind, point::Site, world::table::flag};
use std::collections::BTreeMap;

/// What is told, and of which task.
type Leak = (FailureKind, String, u32);

impl World {
    /// Main has ended: warns of what its tasks keep. Told by places alone, so that many runs give one warning.
    pub(in crate::world) fn report_leaks(&self) {
        if self.ambient.get() || self.stopping.get() {
            return;
        }
        let (holds, waits, idle) = {
            let graph = self.graph.borrow();
            let held = graph.places.iter().any(|place| place.first.is_some());
            (held, graph.waits.len() > graph.free.len(), graph.idle > 0)
        };
        // So it is in most runs, of which many are short.
        if !holds && !waits {
            return;
        }
        let waiting = self.waiting_tasks();
        let mut leaks: Vec<Leak> = Vec::new();
        {
            let graph = self.graph.borrow();
            for (number, place) in graph.places.iter().enumerate() {
                let Some(origin) = place.origin else { continue };
                // An owned guard may be anywhere, also where it is about to be dropped.
                let name = self.given_name(number as u32).map_or(String::new(), |name| name + " ");
                for hold in place.holds().filter(|hold| !hold.owned) {
                    if let Some(spawned) = waiting.get(&hold.task) {
                        let what = match hold.share {
                            Share::Permits(_) => "permits of the semaphore",
                            _ => "the lock",
                        };
                        leaks.push((
                            FailureKind::LeakedTask,
                            format!(
                                "a task spawned at {spawned} still waits when main has ended, and holds {what} \
                                 {name}created at {origin}, taken at {}",
                                hold.site
                            ),
                            hold.task,
                        ));
                    }
                }
            }
            for wait in graph.waits() {
                let Some(place) = graph.places.get(wait.object as usize) else { continue };
                let name = self.given_name(wait.object).map_or(String::new(), |name| name + " ");
                if let (Some(spawned), Some(forgotten), true) =
                    (waiting.get(&wait.task), place.forgotten.first(), place.first.is_none())
                {
                    leaks.push((
                        FailureKind::LeakedPermit,
                        format!(
                            "a task spawned at {spawned} waits at {} for permits of the semaphore {name}created at {}, \
                             of which those taken at {} were forgotten",
                            wait.site, wait.origin, forgotten.site
                        ),
                        wait.task,
                    ));
                }
            }
        }
        if idle {
            leaks.extend(self.leaked_receivers(&waiting));
        }
        for (kind, message, task) in leaks {
            self.lint(kind, message, Some(task));
        }
    }

    /// Tasks that wait for messages whose senders are all with tasks that wait for ever themselves, or with their own
    /// receivers.
    fn leaked_receivers(&self, waiting: &BTreeMap<u32, Site>) -> Vec<Leak> {
        let stuck = self.stuck_or_idle();
        let graph = self.graph.borrow();
        let mut leaks = Vec::new();
        let messages = stuck
            .iter()
            .flat_map(|(&task, stuck)| stuck.waits.iter().map(move |wait| (task, wait)));
        for (task, wait) in messages.filter(|(_, wait)| wait.share == Share::Message) {
            let (Some(spawned), Some(ends)) = (waiting.get(&task), graph.ends(wait.object)) else {
                continue;
            };
            let mut keepers: Vec<String> = ends
                .senders()
                .map(|keeper| match waiting.get(&keeper.task) {
                    _ if keeper.task == task => "itself".to_string(),
                    Some(spawned) if keeper.has == Has::Used => {
                        format!("a task spawned at {spawned}")
                    }
                    _ => "a task that was given one".to_string(),
                })
                .collect();
            keepers.sort();
            keepers.dedup();
            let name = self.given_name(wait.object).map_or(String::new(), |name| name + " ");
            let message = format!(
                "a task spawned at {spawned} still waits when main has ended, at {}, for messages of the channel \
                 {name}created at {}; who has its senders waits too, for ever: {}",
                wait.site,
                wait.origin,
                keepers.join(", ")
            );
            leaks.push((FailureKind::LeakedReceiver, message, task));
        }
        leaks
    }

    /// The tasks that wait, and where they were spawned; main is none of them. Those of other nodes end with these.
    fn waiting_tasks(&self) -> BTreeMap<u32, Site> {
        let table = self.table.borrow();
        let waits = flag::QUEUED | flag::RUNNING | flag::ABORTED | flag::DONE;
        let slots = table.slots[..table.used()]
            .iter()
            .filter(|slot| slot.flags & waits == 0 && slot.node == 0);
        slots.filter_map(|slot| Some((slot.number, slot.header.as_ref()?.site))).collect()
    }
}
