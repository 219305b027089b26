//! How to open a file, and how to make a folder.

use super::{File, background::off_thread};
use crate::{
    point::Site,
    std::fs::{DirBuilder as StdDirBuilder, OpenOptions as StdOpenOptions},
};
use std::{
    future::Future,
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    panic::Location,
    path::Path,
};

/// Options to open a file: as tokio's.
///
/// ```
/// use sim::{fs::OpenOptions, io::AsyncWriteExt};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let mut log = OpenOptions::new().append(true).create(true).open("/log").await.unwrap();
/// log.write_all(b"record").await.unwrap();
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions(StdOpenOptions);

macro_rules! options {
    ($($name:ident, $text:literal;)*) => {
        $(#[doc = $text]
        pub fn $name(&mut self, $name: bool) -> &mut OpenOptions {
            self.0.$name($name);
            self
        })*
    };
}

impl OpenOptions {
    /// None of them is set.
    #[must_use]
    pub fn new() -> OpenOptions {
        OpenOptions(StdOpenOptions::new())
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
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.0.mode(mode);
        self
    }

    /// Further flags of open(2), such as `O_DSYNC` and `O_DIRECT`.
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.0.custom_flags(flags);
        self
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// As [`sim::std::fs::OpenOptions::open`](crate::std::fs::OpenOptions::open).
    #[track_caller]
    pub fn open(&self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<File>> {
        self.open_at(path.as_ref(), Location::caller())
    }

    pub(super) fn open_at(
        &self,
        path: &Path,
        site: Site,
    ) -> impl Future<Output = io::Result<File>> + Send + use<> {
        let (options, path) = (self.0.clone(), path.to_path_buf());
        async move {
            let file = off_thread(site, move || options.open_at(&path, site)).await?;
            Ok(File::from_std(file))
        }
    }
}

impl From<StdOpenOptions> for OpenOptions {
    fn from(options: StdOpenOptions) -> OpenOptions {
        OpenOptions(options)
    }
}

/// Makes folders: as tokio's.
#[derive(Clone, Debug, Default)]
pub struct DirBuilder(StdDirBuilder);

impl DirBuilder {
    /// One folder, of the mode 0o777 less the umask's bits.
    #[must_use]
    pub fn new() -> DirBuilder {
        DirBuilder(StdDirBuilder::new())
    }

    /// Whether those above are made too, and one that is there is no error.
    pub fn recursive(&mut self, recursive: bool) -> &mut DirBuilder {
        self.0.recursive(recursive);
        self
    }

    /// Its permission bits.
    pub fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.0.mode(mode);
        self
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// Those of mkdir(2).
    #[track_caller]
    pub fn create(&self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
        let (builder, site) = (self.0.clone(), Location::caller());
        let path = path.as_ref().to_path_buf();
        async move { off_thread(site, move || builder.create_at(&path, site)).await }
    }
}
