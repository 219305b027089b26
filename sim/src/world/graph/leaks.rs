//! What is left when main has ended: tasks that wait while they hold a lock or permits, and tasks that wait
//! for permits that were forgotten. A task that holds nothing is a background server, and no leak.

use super::{Share, World};
use crate::{check::FailureKind, point::Site, world::table::flag};
use std::collections::BTreeMap;

impl World {
    /// Main has ended: warns of what its tasks keep. Told by places alone, so that many runs give one warning.
    pub(in crate::world) fn report_leaks(&self) {
        if self.ambient.get() || self.stopping.get() {
            return;
        }
        let waiting = self.waiting_tasks();
        let mut leaks = Vec::new();
        {
            let graph = self.graph.borrow();
            for place in &graph.places {
                let Some(origin) = place.origin else { continue };
                // An owned guard may be anywhere, also where it is about to be dropped.
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
                                 created at {origin}, taken at {}",
                                hold.site
                            ),
                            hold.task,
                        ));
                    }
                }
            }
            for wait in graph.waits() {
                let Some(place) = graph.places.get(wait.object as usize) else { continue };
                if let (Some(spawned), Some(forgotten), true) =
                    (waiting.get(&wait.task), place.forgotten.first(), place.first.is_none())
                {
                    leaks.push((
                        FailureKind::LeakedPermit,
                        format!(
                            "a task spawned at {spawned} waits at {} for permits of the semaphore created at {}, \
                             of which those taken at {} were forgotten",
                            wait.site, wait.origin, forgotten.site
                        ),
                        wait.task,
                    ));
                }
            }
        }
        for (kind, message, task) in leaks {
            self.lint(kind, message, Some(task));
        }
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
