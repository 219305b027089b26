//! Names that a program gives to its locks, channels and the like, for reports.
//!
//! A report names an object by the place where it was created. Where many are created at one place, or where the
//! place says little, a name says more.

use crate::{context, point::Object};
use std::{borrow::Cow, rc::Rc, sync::Arc};

/// Names an object in the reports and the trace of the run in which this is called.
///
/// Named can be what tasks wait for or share: the locks, semaphores, notifies and channels (by either end) of
/// [`sync`](crate::sync) and of [`std`](mod@crate::std), join sets, barriers and cells. A later name takes the place of a former one.
/// A name makes no difference to what the program does, and no scheduling point; outside of a simulation it
/// is forgotten at once.
///
/// Two objects of one name are taken for one by what compares runs, as the lint `lock_order` does: number
/// them if they are many.
///
/// ```
/// use std::sync::Arc;
/// use sim::{sync::Mutex, time::{Duration, sleep}};
///
/// let report = sim::check(sim::Config::new(), || async {
///     let locks = ["accounts", "audit"].map(|name| {
///         let lock = Arc::new(Mutex::new(0));
///         sim::name(&lock, name);
///         lock
///     });
///     let both = |[first, second]: [Arc<Mutex<i32>>; 2]| async move {
///         let _first = first.lock().await;
///         sleep(Duration::from_millis(1)).await;
///         let _second = second.lock().await;
///     };
///     let [accounts, audit] = locks;
///     sim::join!(
///         async { sim::spawn(both([accounts.clone(), audit.clone()])).await.unwrap() },
///         async { sim::spawn(both([audit.clone(), accounts.clone()])).await.unwrap() },
///     );
/// });
/// let failure = report.failure.unwrap();
/// assert!(failure.message.contains("acquire \"audit\" (created at"), "{failure}");
/// ```
pub fn name<N: Nameable + ?Sized>(object: &N, name: impl Into<Cow<'static, str>>) {
    object.set_name(name.into());
}

/// What can be given a [`name`](name()); only types of this crate can.
pub trait Nameable: sealed::Sealed {
    #[doc(hidden)]
    fn set_name(&self, name: Cow<'static, str>);
}

pub(crate) mod sealed {
    /// Keeps the trait to the types of this crate.
    pub trait Sealed {}
}

macro_rules! through {
    ($($pointer:ty),*) => {$(
        impl<N: Nameable + ?Sized> sealed::Sealed for $pointer {}

        impl<N: Nameable + ?Sized> Nameable for $pointer {
            fn set_name(&self, name: Cow<'static, str>) {
                (**self).set_name(name);
            }
        }
    )*};
}

through!(Arc<N>, Rc<N>, Box<N>, &N, &mut N);

impl Object {
    /// Names the object in what is told of this run.
    pub(crate) fn set_name(&self, name: Cow<'static, str>) {
        context::within_or_at_end(|world| world.set_name(self.number_in(world), name));
    }
}
