//! How to open a file, with the checks that std does before it asks the kernel.

use super::{
    File,
    caller::{Caller, bytes},
};
use crate::{
    errno,
    point::{Access, Site},
};
use sim_fs::{Errno, Open};
use std::{io, panic::Location, path::Path};

/// Options to open a file: as std's.
///
/// ```
/// use sim::std::fs::OpenOptions;
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let error = OpenOptions::new().read(true).open("/nothing").unwrap_err();
/// assert_eq!(error.raw_os_error(), Some(2)); // ENOENT
/// OpenOptions::new().append(true).create(true).open("/log").unwrap();
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    how: Open,
    custom_flags: i32,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions::new()
    }
}

macro_rules! options {
    ($($name:ident, $text:literal;)*) => {
        $(#[doc = $text]
        pub fn $name(&mut self, $name: bool) -> &mut OpenOptions {
            self.how.$name = $name;
            self
        })*
    };
}

impl OpenOptions {
    /// None of them is set.
    #[must_use]
    pub fn new() -> OpenOptions {
        OpenOptions { how: Open { cloexec: true, ..Open::default() }, custom_flags: 0 }
    }

    options! {
        read, "Whether it is to be read.";
        write, "Whether it is to be written.";
        append, "Whether each write goes to the end.";
        truncate, "Whether it loses its content.";
        create, "Whether it is made if it is not there.";
        create_new, "Whether it is made, and must not be there.";
    }

    /// Permission bits of a new file, of which the umask's are taken away; 0o666 if not set.
    pub(crate) fn set_mode(&mut self, mode: u32) {
        self.how.mode = mode;
    }

    /// Further flags of open(2), as `O_DIRECT` and `O_DSYNC`; those of the access mode are passed over.
    pub(crate) fn set_flags(&mut self, flags: i32) {
        self.custom_flags = flags & !3;
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// `EINVAL` for options that make no sense together, and those of open(2): `ENOENT`, `EEXIST`, `EISDIR`, `ENOTDIR`,
    /// `EACCES`, `ELOOP`, `ENAMETOOLONG`, `EMFILE`, `EROFS`, `ENOSPC`. `Unsupported` outside of a simulation.
    #[track_caller]
    pub fn open<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        self.open_at(path.as_ref(), Location::caller())
    }

    pub(crate) fn open_at(&self, path: &Path, site: Site) -> io::Result<File> {
        let how = self.how()?;
        let path = bytes(path);
        no_nul(path)?;
        let caller = Caller::at(site)?;
        let access = if how == (Open { mode: how.mode, ..Open::READ }) {
            Access::Read
        } else {
            Access::Write
        };
        let fd = caller.ask(access, |disk, cx| disk.open(cx, path, how))?;
        Ok(File::new(&caller, fd))
    }

    /// As std has it: which combinations are an error, and what the flags are.
    fn how(&self) -> io::Result<Open> {
        let OpenOptions {
            how: Open { read, write, append, truncate, create, create_new, .. },
            custom_flags,
        } = *self;
        let makes_sense = match (write, append) {
            (true, false) => true,
            (false, false) => !(truncate || create || create_new),
            (_, true) => !truncate || create_new,
        };
        if !makes_sense || !(read || write || append) {
            return Err(errno::error(Errno::EINVAL));
        }
        let more = Open::from_raw(custom_flags, 0);
        Ok(Open {
            write: write || append,
            append: append || more.append,
            truncate: (truncate || more.truncate) && !create_new,
            create: (create || more.create) && !create_new,
            create_new: create_new || more.create_new,
            direct: more.direct,
            sync: more.sync,
            dsync: more.dsync,
            nofollow: more.nofollow,
            directory: more.directory,
            ..self.how
        })
    }
}

/// std refuses paths with a NUL before it asks the kernel.
pub(super) fn no_nul(path: &[u8]) -> io::Result<()> {
    match path.contains(&0) {
        true => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "file name contained an unexpected NUL byte",
        )),
        false => Ok(()),
    }
}
