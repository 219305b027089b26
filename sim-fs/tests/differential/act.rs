//! One operation, drawn so that names, open files and offsets often meet.

use proptest::prelude::*;

/// A path or the target of a link, printed as text.
#[derive(Clone)]
pub(crate) struct Text(Vec<u8>);

impl std::ops::Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.len() {
            0..100 => write!(f, "\"{}\"", self.0.escape_ascii()),
            len => write!(f, "\"{}...\" of {len} bytes", self.0[..20].escape_ascii()),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Open { path: Text, flags: i32, mode: u32 },
    Close(usize),
    Dup(usize),
    Read { file: usize, len: usize },
    PRead { file: usize, offset: u64, len: usize },
    Write { file: usize, byte: u8, len: usize },
    PWrite { file: usize, offset: u64, byte: u8, len: usize },
    Seek { file: usize, whence: u8, offset: i64 },
    FTruncate { file: usize, size: u64 },
    Truncate { path: Text, size: u64 },
    FAllocate { file: usize, offset: u64, len: u64, keep_size: bool },
    FStat(usize),
    Stat(Text),
    LStat(Text),
    ChMod { path: Text, mode: u32 },
    Access { path: Text, bits: u32 },
    MkDir { path: Text, mode: u32 },
    RmDir(Text),
    Unlink(Text),
    Link(Text, Text),
    Symlink(Text, Text),
    ReadLink(Text),
    Rename { old: Text, new: Text, no_replace: bool },
    ReadDir(Text),
    RealPath(Text),
    Flock { file: usize, what: u8 },
}

/// `O_*` that are drawn; `O_SYNC` answers the same, and is slow.
const FLAGS: [i32; 7] = [0o100, 0o200, 0o1000, 0o2000, 0o200_000, 0o400_000, 0o2_000_000];

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(|name| name.as_bytes().to_vec()),
        1 => Just(b".".to_vec()),
        1 => Just(b"n".repeat(255)),
        1 => Just(b"n".repeat(256)),
    ]
}

/// Never more than one `..`, and only behind a name, so that none leaves the folder of the test.
fn path() -> impl Strategy<Value = Text> {
    prop_oneof![
        10 => name(),
        10 => (name(), name()).prop_map(|(a, b)| [a, b].join(&b'/')),
        3 => (name(), name(), name()).prop_map(|(a, b, c)| [a, b, c].join(&b'/')),
        2 => (name(), name()).prop_map(|(a, b)| [&a, &b"//"[..], &b].concat()),
        2 => name().prop_map(|a| [&a, &b"/"[..]].concat()),
        1 => (name(), name()).prop_map(|(a, b)| [&a, &b"/"[..], &b, &b"//"[..]].concat()),
        1 => name().prop_map(|a| [&a, &b"/.."[..]].concat()),
        1 => (name(), name()).prop_map(|(a, b)| [&a, &b"/../"[..], &b].concat()),
        1 => name().prop_map(|a| [&a, &b"/."[..]].concat()),
        1 => prop::sample::select(vec![
            Vec::new(),
            b"a\0b".to_vec(),
            b"a/".repeat(2047),
            [b"./".repeat(2047), b"a".to_vec()].concat(),
            [b"./".repeat(2047), b"aa".to_vec()].concat(),
        ]),
    ]
    .prop_map(Text)
}

fn target() -> impl Strategy<Value = Text> {
    prop_oneof![
        10 => name(),
        4 => (name(), name()).prop_map(|(a, b)| [a, b].join(&b'/')),
        2 => name().prop_map(|a| [&a, &b"/"[..]].concat()),
        1 => prop::sample::select(vec![Vec::new(), b"a".repeat(4095), b"a".repeat(4096), b"x\0".to_vec()]),
    ]
    .prop_map(Text)
}

/// Those about the largest size are ext4's.
fn offset(ext4: bool) -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..20u64,
        4 => 0..20_000u64,
        2 => prop::sample::select(vec![4095, 4096, 4097, 8192, 1 << 20]),
        u32::from(ext4) => prop::sample::select(vec![
            (1 << 44) - 8192,
            (1 << 44) - 4097,
            (1 << 44) - 4096,
            (1 << 44) - 4095,
            1 << 44,
            (1 << 63) - 1,
        ]),
        1 => prop::sample::select(vec![1 << 63, u64::MAX]),
    ]
}

fn len() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..20usize, 2 => 0..9000usize, 1 => Just(4096usize)]
}

fn mode() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0o777u32), 1 => Just(0o666u32), 1 => 0..0o1000u32]
}

fn flags() -> impl Strategy<Value = i32> {
    (0..3i32, prop::collection::vec(prop::sample::select(FLAGS.to_vec()), 0..3), any::<bool>())
        .prop_map(|(access, flags, create)| {
            flags.into_iter().fold(access | if create { 0o100 } else { 0 }, |all, flag| all | flag)
        })
}

fn seek(ext4: bool) -> impl Strategy<Value = (u8, i64)> {
    let end = (1i64 << 44) - 4096;
    prop_oneof![
        3 => (0..3u8, -5000..20_000i64),
        u32::from(ext4) => (0..5u8, prop_oneof![-5000..20_000i64, any::<i64>(), end..end + 2]),
    ]
}

pub(crate) fn act(ext4: bool) -> impl Strategy<Value = Act> {
    let offset = || offset(ext4);
    let file = || 0..4usize;
    let files = prop_oneof![
        8 => (path(), flags(), mode()).prop_map(|(path, flags, mode)| Act::Open { path, flags, mode }),
        2 => file().prop_map(Act::Close),
        1 => file().prop_map(Act::Dup),
        2 => (file(), len()).prop_map(|(file, len)| Act::Read { file, len }),
        2 => (file(), offset(), len()).prop_map(|(file, offset, len)| Act::PRead { file, offset, len }),
        4 => (file(), any::<u8>(), len()).prop_map(|(file, byte, len)| Act::Write { file, byte, len }),
        3 => (file(), offset(), any::<u8>(), len())
            .prop_map(|(file, offset, byte, len)| Act::PWrite { file, offset, byte, len }),
        3 => (file(), seek(ext4))
            .prop_map(|(file, (whence, offset))| Act::Seek { file, whence, offset }),
        2 => (file(), offset()).prop_map(|(file, size)| Act::FTruncate { file, size }),
        1 => (path(), offset()).prop_map(|(path, size)| Act::Truncate { path, size }),
        1 => (file(), 0..20_000u64, 0..20_000u64, any::<bool>())
            .prop_map(|(file, offset, len, keep_size)| Act::FAllocate { file, offset, len, keep_size }),
        2 => file().prop_map(Act::FStat),
        1 => (file(), 0..3u8).prop_map(|(file, what)| Act::Flock { file, what }),
    ];
    let names = prop_oneof![
        1 => path().prop_map(Act::Stat),
        1 => path().prop_map(Act::LStat),
        1 => (path(), mode()).prop_map(|(path, mode)| Act::ChMod { path, mode }),
        1 => (path(), 0..9u32).prop_map(|(path, bits)| Act::Access { path, bits }),
        4 => (path(), mode()).prop_map(|(path, mode)| Act::MkDir { path, mode }),
        2 => path().prop_map(Act::RmDir),
        2 => path().prop_map(Act::Unlink),
        2 => (path(), path()).prop_map(|(old, new)| Act::Link(old, new)),
        3 => (target(), path()).prop_map(|(target, path)| Act::Symlink(target, path)),
        1 => path().prop_map(Act::ReadLink),
        4 => (path(), path(), any::<bool>())
            .prop_map(|(old, new, no_replace)| Act::Rename { old, new, no_replace }),
        1 => path().prop_map(Act::ReadDir),
        1 => path().prop_map(Act::RealPath),
    ];
    prop_oneof![files, names]
}
