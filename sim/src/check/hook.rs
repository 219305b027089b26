//! The panic hook: panics inside a simulation are noted for its report instead of printed.

use crate::{context, trace::Happened, world::PanicNote};
use std::{panic, sync::Once};

/// Installs the hook once in the process; panics outside simulations go on to the former hook.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            match context::world().filter(|_| context::is_driving()) {
                Some(world) => {
                    let message =
                        info.payload_as_str().unwrap_or("a panic without a message").to_string();
                    let location =
                        info.location().map(|location| location.to_string()).unwrap_or_default();
                    world.event(Happened::Panic);
                    world.note_panic(PanicNote { message, location });
                    if world.ambient.get() {
                        // It prints, and takes std's locks, for which real threads contend.
                        context::outside(|| former(info));
                    }
                }
                None => former(info),
            }
        }));
    });
}
