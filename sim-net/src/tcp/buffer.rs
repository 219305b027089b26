//! Bytes that wait, in one piece: put in behind, looked at anywhere, taken out in front.

use alloc::vec::Vec;

/// A queue of bytes. It keeps its allocation.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Those before were taken out.
    start: usize,
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // What was taken out makes room, once it is the larger part: a byte is moved once at most for each put in.
        if self.start >= self.len() && self.bytes.len() + bytes.len() > self.bytes.capacity() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes so many out.
    pub(crate) fn pop(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.start += count;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Takes all out, and gives the memory back.
    pub(crate) fn free(&mut self) {
        *self = Buffer::default();
    }
}
