//! Reading and writing: read(2), pread(2), write(2), lseek(2), ftruncate(2), fallocate(2).

use crate::{
    Cx, Disk, Errno, Faults, Fd, Ino, MAX_SIZE, Result, SECTOR, Verb,
    disk::origin,
    faults::Fault,
    inode::{Change, Node},
    open::OpenFile,
    pages::{PAGE, Page, page_of, pages_for, within},
    pending::OpId,
    user::Access,
};
use alloc::{sync::Arc, vec::Vec};

/// A read or write moves no more bytes than this at once: write(2), "Notes".
const MOST_AT_ONCE: usize = 0x7fff_f000;

/// Where lseek(2) counts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seek {
    /// The start.
    Start(u64),
    /// The current offset.
    Current(i64),
    /// The end.
    End(i64),
    /// The next data at or after that offset.
    Data(u64),
    /// The next hole at or after that offset; there is one at the end.
    Hole(u64),
}

/// What is being read or written of an open file.
struct Span {
    ino: Ino,
    offset: u64,
    len: usize,
    faults: Faults,
}

impl Disk {
    // --- reading

    /// Reads at the open file's offset, and moves it: how many bytes, 0 at the end.
    ///
    /// # Errors
    ///
    /// As [`pread`](Disk::pread).
    pub fn read(&mut self, cx: &mut Cx<'_>, fd: Fd, into: &mut [u8]) -> Result<usize> {
        let offset = self.open_file(fd)?.offset;
        let count = self.pread(cx, fd, offset, into)?;
        self.open_file_mut(fd)?.offset = offset + count as u64;
        Ok(count)
    }

    /// Reads at an offset: how many bytes, 0 at and beyond the end.
    ///
    /// # Errors
    ///
    /// `EBADF`, also if it is not open to read; `EISDIR`, `EINVAL` for an offset of 2^63 and more, or one that direct
    /// I/O cannot have; `EIO` by a fault.
    pub fn pread(
        &mut self,
        cx: &mut Cx<'_>,
        fd: Fd,
        offset: u64,
        into: &mut [u8],
    ) -> Result<usize> {
        self.begin(cx, Verb::Read)?;
        check_range(offset, 0)?;
        let file = self.open_file(fd)?;
        if !file.how.read {
            return Err(Errno::EBADF);
        }
        let (ino, direct) = (file.ino, file.how.direct);
        // The order of the checks is that of the kernel: ksys_pread64, rw_verify_area, then the file system.
        check_range(offset, into.len())?;
        let faults = self.faults_at(&file.path);
        let pages = self.file_pages(ino)?;
        check_direct(direct, offset, into.len())?;
        let left = usize::try_from(pages.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = into.len().min(left).min(MOST_AT_ONCE);
        if len == 0 {
            return Ok(0);
        }
        let span = Span { ino, offset, len, faults };
        let len = self.read_faults(cx, &span)?;
        self.wait_for_device(cx, &span, direct);
        let into = &mut into[..len];
        let pages = self.cached.pages(ino).expect("it is a file");
        pages.read(offset, into);
        if direct {
            self.read_device(&span, into);
        }
        if !span.faults_are_off() {
            self.misdirect_read(cx, &span, into);
        }
        self.note_access(cx, ino);
        Ok(len)
    }

    fn file_pages(&self, ino: Ino) -> Result<&crate::pages::Pages> {
        match &self.cached.get(ino).ok_or(Errno::EBADF)?.node {
            Node::File(pages) => Ok(pages),
            Node::Folder(_) => Err(Errno::EISDIR),
            Node::Symlink(_) => Err(Errno::EINVAL),
        }
    }

    /// What was not read since the node started comes from the device, and so do direct reads.
    fn wait_for_device(&mut self, cx: &mut Cx<'_>, span: &Span, direct: bool) {
        let cold = span.ino <= self.cold_until && self.warm.insert(span.ino);
        if direct || cold {
            self.may_stall(cx, &span.faults);
            self.queue.transfer(cx, span.len as u64);
        }
    }

    /// Pages that are not waiting to be written are read from the device, whatever the cache has.
    fn read_device(&self, span: &Span, into: &mut [u8]) {
        let Some(durable) = self.durable.pages(span.ino) else { return };
        for part in parts(span.offset, into.len()) {
            if !self.pending.is_dirty(span.ino, part.index) {
                let content = durable.content(part.index);
                into[part.done..part.done + part.len]
                    .copy_from_slice(&content[part.start..part.start + part.len]);
            }
        }
    }

    /// Fails, or shortens, the read; bits rot. Gives how many bytes there will be.
    fn read_faults(&mut self, cx: &mut Cx<'_>, span: &Span) -> Result<usize> {
        let faults = &span.faults;
        if !span.faults_are_off() {
            self.strike(cx, faults.read_error_ppm, Fault::ReadError, Errno::EIO)?;
            self.go_bad(cx, span);
            self.rot(cx, span);
        }
        if !self.faults.bad.is_empty() {
            let pages = (span.ino, page_of(span.offset))
                ..=(span.ino, page_of(span.offset + span.len as u64 - 1));
            if self.faults.bad.range(pages).next().is_some() {
                self.faults.took_effect(Fault::LatentSector);
                return Err(Errno::EIO);
            }
        }
        Ok(self.shorten(cx, faults.short_read_ppm, Fault::ShortRead, span.len))
    }

    fn shorten(&mut self, cx: &mut Cx<'_>, ppm: u32, fault: Fault, len: usize) -> usize {
        if len < 2 || !cx.strikes(ppm) {
            return len;
        }
        self.faults.note(fault, true);
        let most = u32::try_from(len - 1).unwrap_or(u32::MAX);
        // The mildest is one byte less.
        len - 1 - cx.which(most) as usize
    }

    /// A clean page of the span, chosen evenly; 0 is the first.
    fn clean_page(&mut self, cx: &mut Cx<'_>, span: &Span) -> Option<u64> {
        let first = page_of(span.offset);
        let count = page_of(span.offset + span.len as u64 - 1) - first + 1;
        let index = first + u64::from(cx.which(u32::try_from(count).unwrap_or(u32::MAX)));
        let mapped = self.cached.pages(span.ino)?.page(index).is_some();
        (mapped && !self.pending.is_dirty(span.ino, index)).then_some(index)
    }

    fn go_bad(&mut self, cx: &mut Cx<'_>, span: &Span) {
        if cx.strikes(span.faults.latent_sector_ppm)
            && let Some(index) = self.clean_page(cx, span)
        {
            self.faults.note(Fault::LatentSector, false);
            self.faults.bad.insert((span.ino, index));
        }
    }

    fn rot(&mut self, cx: &mut Cx<'_>, span: &Span) {
        if !cx.strikes(span.faults.bit_rot_ppm) {
            return;
        }
        let Some(index) = self.clean_page(cx, span) else { return };
        let bit = cx.which(u32::try_from(PAGE * 8).expect("few bits")) as usize;
        let flip = |page: &Arc<Page>| {
            let mut page = page.clone();
            Arc::make_mut(&mut page)[bit / 8] ^= 1 << (bit % 8);
            page
        };
        for image in [&mut self.cached, &mut self.durable] {
            if let Some(pages) = image.pages_mut(span.ino)
                && let Some(page) = pages.page(index)
            {
                let rotten = flip(page);
                pages.set_page(index, rotten);
            }
        }
        let at = index * PAGE as u64 + (bit / 8) as u64;
        let seen = (span.offset..span.offset + span.len as u64).contains(&at);
        self.faults.note(Fault::BitRot, seen);
    }

    fn misdirect_read(&mut self, cx: &mut Cx<'_>, span: &Span, into: &mut [u8]) {
        if into.is_empty() || !cx.strikes(span.faults.misdirected_read_ppm) {
            return;
        }
        let Some(pages) = self.cached.pages(span.ino) else { return };
        let count = u32::try_from(pages_for(pages.size)).unwrap_or(u32::MAX);
        let wrong = pages.content(cx.which(count).into());
        let part = parts(span.offset, into.len()).next().expect("the read is not empty");
        let into = &mut into[..part.len];
        let content = &wrong[part.start..part.start + part.len];
        let differs = into != content;
        into.copy_from_slice(content);
        self.faults.note(Fault::MisdirectedRead, differs);
    }

    /// The time of access is kept as mount(8) says of `relatime`: it moves if it is not after the last change, or a day old.
    pub(crate) fn note_access(&mut self, cx: &Cx<'_>, ino: Ino) {
        const DAY_NS: i64 = 86_400_000_000_000;
        if self.read_only {
            return;
        }
        let Some(inode) = self.cached.get(ino) else { return };
        let accessed = inode.about.accessed_ns;
        let stale = accessed <= inode.about.modified_ns
            || accessed <= inode.changed_ns
            || cx.wall_ns.saturating_sub(accessed) >= DAY_NS;
        if stale
            && accessed != cx.wall_ns
            && let Some(inode) = self.cached.get_mut(ino)
        {
            inode.about.accessed_ns = cx.wall_ns;
        }
    }

    // --- writing

    /// Writes at the open file's offset, or at the end if it appends, and moves it: how many bytes.
    ///
    /// # Errors
    ///
    /// As [`pwrite`](Disk::pwrite).
    pub fn write(&mut self, cx: &mut Cx<'_>, fd: Fd, data: &[u8]) -> Result<usize> {
        let offset = self.open_file(fd)?.offset;
        let (start, count) = self.write_at(cx, fd, offset, data)?;
        self.open_file_mut(fd)?.offset = start + count as u64;
        Ok(count)
    }

    /// Writes at an offset: how many bytes. A file opened to append is appended to nevertheless: pwrite(2), "Bugs".
    ///
    /// # Errors
    ///
    /// `EBADF`, also if it is not open to write; `EINVAL` for an offset of 2^63 and more, or one that direct I/O cannot
    /// have; `EFBIG`, `ENOSPC`, `EROFS`; `EIO` by a fault.
    pub fn pwrite(&mut self, cx: &mut Cx<'_>, fd: Fd, offset: u64, data: &[u8]) -> Result<usize> {
        Ok(self.write_at(cx, fd, offset, data)?.1)
    }

    /// Where the write began, and how many bytes.
    fn write_at(
        &mut self,
        cx: &mut Cx<'_>,
        fd: Fd,
        offset: u64,
        data: &[u8],
    ) -> Result<(u64, usize)> {
        self.begin(cx, Verb::Write)?;
        check_range(offset, 0)?;
        let &OpenFile { ino, how, ref path, .. } = self.open_file(fd)?;
        if !how.write {
            return Err(Errno::EBADF);
        }
        check_range(offset, data.len())?;
        if data.is_empty() {
            return Ok((offset, 0));
        }
        let faults = self.faults_at(path);
        let offset = if how.append { self.file_pages(ino)?.size } else { offset };
        if offset >= MAX_SIZE {
            return Err(Errno::EFBIG);
        }
        self.may_write_disk()?;
        check_direct(how.direct, offset, data.len())?;
        let room = usize::try_from(MAX_SIZE - offset).unwrap_or(usize::MAX);
        let len = data.len().min(room).min(MOST_AT_ONCE);
        let span = Span { ino, offset, len, faults };
        let len = self.write_faults(cx, &span)?;
        let len = self.fit(ino, offset, len)?;
        let ops = self.write_pages(cx, ino, offset, &data[..len]);
        if how.direct {
            self.may_stall(cx, &faults);
            self.queue.transfer(cx, len as u64);
        }
        if how.sync || how.dsync {
            let ops = if how.sync { self.pending.own_of(ino, false) } else { ops };
            self.sync_now(cx, fd, ops)?;
        }
        self.relieve();
        Ok((offset, len))
    }

    fn write_faults(&mut self, cx: &mut Cx<'_>, span: &Span) -> Result<usize> {
        let faults = &span.faults;
        if !span.faults_are_off() {
            self.strike(cx, faults.write_error_ppm, Fault::WriteError, Errno::EIO)?;
            self.strike(cx, faults.no_space_ppm, Fault::NoSpace, Errno::ENOSPC)?;
        }
        let len = self.shorten(cx, faults.short_write_ppm, Fault::ShortWrite, span.len);
        if !self.faults.bad.is_empty() {
            for part in parts(span.offset, len) {
                // What is written whole is new; else the page has to be read first.
                if part.len == PAGE {
                    self.faults.bad.remove(&(span.ino, part.index));
                } else if self.faults.bad.contains(&(span.ino, part.index)) {
                    self.faults.took_effect(Fault::LatentSector);
                    return Err(Errno::EIO);
                }
            }
        }
        Ok(len)
    }

    /// How much of a write there is space for.
    fn fit(&self, ino: Ino, offset: u64, len: usize) -> Result<usize> {
        let end = offset + len as u64;
        let (first, last) = (page_of(offset), pages_for(end));
        let free = self.space.blocks.saturating_sub(self.space.used);
        if last - first <= free {
            return Ok(len);
        }
        let pages = self.file_pages(ino)?;
        let mut left = free;
        for index in first..last {
            if pages.has_block(index) {
                continue;
            }
            if left == 0 {
                let fits = (index * PAGE as u64).saturating_sub(offset);
                let fits = usize::try_from(fits).unwrap_or(usize::MAX);
                return if fits == 0 { Err(Errno::ENOSPC) } else { Ok(fits) };
            }
            left -= 1;
        }
        Ok(len)
    }

    /// Writes: the changes that this makes.
    fn write_pages(&mut self, cx: &mut Cx<'_>, ino: Ino, offset: u64, data: &[u8]) -> Vec<OpId> {
        let from = origin(cx);
        let Some(inode) = self.cached.get_mut(ino) else { return Vec::new() };
        (inode.about.modified_ns, inode.changed_ns) = (cx.wall_ns, cx.wall_ns);
        let Node::File(pages) = &mut inode.node else { return Vec::new() };
        let blocks = pages.blocks();
        let mut ops = Vec::new();
        let mut fresh = Vec::new();
        for part in parts(offset, data.len()) {
            let data = &data[part.done..part.done + part.len];
            let former = pages.page(part.index);
            let mapped = former.is_some();
            let content = patched(former, part.start, data);
            let (op, is_fresh) = self.pending.page(ino, part.index, content.clone(), mapped, from);
            pages.set_page(part.index, content);
            ops.push(op);
            if is_fresh {
                fresh.push(op);
            }
        }
        let (was, to) = (pages.size, offset + data.len() as u64);
        if to > was {
            pages.set_size(to);
            ops.push(self.pending.size(ino, (was, to), &fresh, from, self.rules));
        }
        self.space.used += pages.blocks() - blocks;
        ops
    }

    // --- size and offset

    /// Moves the open file's offset, also beyond the end: lseek(2). Gives the new one.
    ///
    /// # Errors
    ///
    /// `EINVAL` for one below 0 or beyond the largest file, `ENXIO` if there is no data or no offset like that, `EBADF`.
    pub fn seek(&mut self, cx: &mut Cx<'_>, fd: Fd, to: Seek) -> Result<u64> {
        cx.done_ns = cx.now_ns;
        let file = self.open_file(fd)?;
        let at = file.offset;
        let pages = self.cached.pages(file.ino);
        let size = pages.map_or(0, |pages| pages.size);
        let inside = |offset: u64| if offset < size { Ok(offset) } else { Err(Errno::ENXIO) };
        let sum = |base: u64, by: i64| base.checked_add_signed(by).ok_or(Errno::EINVAL);
        let found = match to {
            Seek::Start(offset) => offset,
            Seek::Current(by) => sum(at, by)?,
            Seek::End(by) => sum(size, by)?,
            Seek::Data(offset) => {
                let offset = inside(offset)?;
                pages.and_then(|pages| pages.next_data(offset)).ok_or(Errno::ENXIO)?
            }
            Seek::Hole(offset) => {
                let offset = inside(offset)?;
                pages.map_or(size, |pages| pages.next_hole(offset))
            }
        };
        if found > MAX_SIZE {
            return Err(Errno::EINVAL);
        }
        self.open_file_mut(fd)?.offset = found;
        Ok(found)
    }

    /// Makes an open file longer, by a hole, or shorter: ftruncate(2).
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not open to write, is a folder, or for 2^63 and more; `EFBIG`, `EBADF`, `EROFS`.
    pub fn ftruncate(&mut self, cx: &mut Cx<'_>, fd: Fd, size: u64) -> Result<()> {
        self.begin(cx, Verb::Truncate)?;
        if i64::try_from(size).is_err() {
            return Err(Errno::EINVAL);
        }
        let file = self.open_file(fd)?;
        let (ino, how) = (file.ino, file.how);
        if !how.write || self.cached.pages(ino).is_none() {
            return Err(Errno::EINVAL);
        }
        self.resize(cx, ino, size)
    }

    /// As [`ftruncate`](Disk::ftruncate), by path: truncate(2).
    ///
    /// # Errors
    ///
    /// `EISDIR`, `EINVAL`, `EFBIG`, `EACCES`, `EROFS`, and those of the path.
    pub fn truncate(&mut self, cx: &mut Cx<'_>, path: &[u8], size: u64) -> Result<()> {
        self.begin(cx, Verb::Truncate)?;
        if i64::try_from(size).is_err() {
            return Err(Errno::EINVAL);
        }
        let ino = self.find(path, true)?;
        self.file_pages(ino)?;
        self.may_access(ino, Access::WRITE)?;
        self.resize(cx, ino, size)
    }

    pub(crate) fn resize(&mut self, cx: &mut Cx<'_>, ino: Ino, size: u64) -> Result<()> {
        self.may_write_disk()?;
        if size > MAX_SIZE {
            return Err(Errno::EFBIG);
        }
        let (wall_ns, from) = (cx.wall_ns, origin(cx));
        let Some(pages) = self.cached.pages_mut(ino) else { return Ok(()) };
        let (was, blocks) = (pages.size, pages.blocks());
        pages.set_size(size);
        self.space.used -= blocks - pages.blocks();
        if let Some(inode) = self.cached.get_mut(ino) {
            (inode.about.modified_ns, inode.changed_ns) = (wall_ns, wall_ns);
        }
        if size != was {
            self.pending.size(ino, (was, size), &[], from, self.rules);
        }
        Ok(())
    }

    /// Gives a range of an open file blocks, which read as holes until written, and makes it that long unless
    /// `keep_size`: fallocate(2).
    ///
    /// # Errors
    ///
    /// `EINVAL` for a length of 0, `EFBIG`, `ENOSPC`, `EISDIR`, `EROFS`, `EBADF`.
    pub fn fallocate(
        &mut self,
        cx: &mut Cx<'_>,
        fd: Fd,
        (offset, len): (u64, u64),
        keep_size: bool,
    ) -> Result<()> {
        self.begin(cx, Verb::Truncate)?;
        let file = self.open_file(fd)?;
        let (ino, how) = (file.ino, file.how);
        let end = offset.checked_add(len).filter(|end| i64::try_from(*end).is_ok());
        if len == 0 || i64::try_from(offset).is_err() || i64::try_from(len).is_err() {
            return Err(Errno::EINVAL);
        }
        if !how.write {
            return Err(Errno::EBADF);
        }
        self.may_write_disk()?;
        let pages = self.file_pages(ino)?;
        let end = end.filter(|end| *end <= MAX_SIZE).ok_or(Errno::EFBIG)?;
        let (first, last) = (page_of(offset), pages_for(end));
        let there = pages.blocks_in(first..last);
        if !self.has_room(last - first - there) {
            return Err(Errno::ENOSPC);
        }
        let (was, wall_ns) = (pages.size, cx.wall_ns);
        // Blocks beyond the size are counted, and kept, as far as the size goes.
        let last = if keep_size { last.min(pages_for(was)) } else { last };
        if first < last {
            let before = pages.blocks();
            self.change_own(cx, ino, Change::Allocate { ino, first, count: last - first });
            let after = self.file_pages(ino)?.blocks();
            self.space.used += after - before;
        }
        if end > was && !keep_size {
            self.cached.apply(&Change::Size { ino, to: end, cut: false }, wall_ns);
            self.pending.size(ino, (was, end), &[], origin(cx), self.rules);
        }
        Ok(())
    }

    /// Copies from one open file to another at their offsets, and moves these: copy_file_range(2). Gives how many
    /// bytes, 0 at the end; it may be fewer than asked for.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Disk::read) and [`write`](Disk::write).
    pub fn copy(&mut self, cx: &mut Cx<'_>, from: Fd, to: Fd, len: usize) -> Result<usize> {
        const MOST: usize = 1 << 20;
        let start = self.open_file(from)?.offset;
        let mut buffer = alloc::vec![0; len.min(MOST)];
        let read = self.pread(cx, from, start, &mut buffer)?;
        let written = self.write(cx, to, &buffer[..read])?;
        self.open_file_mut(from)?.offset = start + written as u64;
        Ok(written)
    }
}

impl Span {
    fn faults_are_off(&self) -> bool {
        self.faults == Faults::default()
    }
}

/// One page's share of a range of bytes.
struct Part {
    index: u64,
    /// Where in the page.
    start: usize,
    len: usize,
    /// How many bytes of the range come before.
    done: usize,
}

fn parts(offset: u64, len: usize) -> impl Iterator<Item = Part> {
    let mut done = 0;
    core::iter::from_fn(move || {
        let at = offset + done as u64;
        let start = within(at);
        let part = Part { index: page_of(at), start, len: (PAGE - start).min(len - done), done };
        done += part.len;
        (part.len > 0).then_some(part)
    })
}

/// The page with the bytes written into it.
fn patched(former: Option<&Arc<Page>>, start: usize, data: &[u8]) -> Arc<Page> {
    if let Ok(whole) = <&Page>::try_from(data) {
        return Arc::new(*whole);
    }
    let mut page = former.map_or_else(|| Arc::new([0; PAGE]), |page| Arc::new(**page));
    Arc::make_mut(&mut page)[start..start + data.len()].copy_from_slice(data);
    page
}

/// Offsets are signed: rw_verify_area of fs/read_write.c.
fn check_range(offset: u64, len: usize) -> Result<()> {
    let end = offset.checked_add(len as u64).and_then(|end| i64::try_from(end).ok());
    if end.is_none() { Err(Errno::EINVAL) } else { Ok(()) }
}

fn check_direct(direct: bool, offset: u64, len: usize) -> Result<()> {
    let sector = SECTOR as u64;
    let aligned = offset.is_multiple_of(sector) && (len as u64).is_multiple_of(sector);
    if direct && !aligned { Err(Errno::EINVAL) } else { Ok(()) }
}
