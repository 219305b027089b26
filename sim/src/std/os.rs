//! What std has for one system alone, as far as it concerns files: [`unix::fs`].

/// What std has for Unix.
pub mod unix {
    /// The traits of files are std's own; the functions are those of the simulation's disks.
    ///
    /// ```
    /// use sim::std::{fs::OpenOptions, os::unix::fs::{FileExt, symlink}};
    ///
    /// # sim::runtime::Runtime::new().unwrap().block_on(async {
    /// let mut options = OpenOptions::new();
    /// let file = options.read(true).write(true).create(true).open("/pages").unwrap();
    /// file.write_at(b"second", 4096).unwrap();
    /// let mut hole = [1; 2];
    /// file.read_at(&mut hole, 0).unwrap();
    /// assert_eq!(hole, [0, 0]);
    /// symlink("/pages", "/link").unwrap();
    /// # });
    /// ```
    pub mod fs {
        pub use crate::std::fs::unix::{chown, fchown, lchown, symlink};
        pub use std::os::unix::fs::{
            DirBuilderExt, DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt,
            PermissionsExt,
        };
    }
}
