//! What was sent to a socket and not yet read. It counts against the buffer of whoever has sent it, as in Linux, whose
//! unit is not the byte but what a packet takes of memory.

use super::UnixAddress;
use crate::{Kind, SocketId};
use alloc::{collections::VecDeque, vec::Vec};

#[derive(Default)]
pub(super) struct Inbox {
    chunks: VecDeque<Chunk>,
    /// How much of the first was read: of streams only.
    read: usize,
}

/// A datagram, or a piece of a stream.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) from: UnixAddress,
    pub(super) sender: SocketId,
    pub(super) cost: u32,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// How many chunks.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// How many bytes.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() - self.read
    }

    pub(super) fn push(&mut self, chunk: Chunk) {
        self.chunks.push_back(chunk);
    }

    pub(super) fn first(&self) -> Option<&Chunk> {
        self.chunks.front()
    }

    pub(super) fn pop(&mut self) -> Option<Chunk> {
        self.read = 0;
        self.chunks.pop_front()
    }

    /// Who has sent what is there, and what it costs; all of it is gone.
    pub(super) fn drain(&mut self) -> Vec<(SocketId, u32)> {
        self.read = 0;
        self.chunks.drain(..).map(|chunk| (chunk.sender, chunk.cost)).collect()
    }

    /// Copies bytes, across chunks, from where reading stands; how many.
    pub(super) fn peek(&self, into: &mut [u8]) -> usize {
        let (mut copied, mut skip) = (0, self.read);
        for chunk in &self.chunks {
            let left = &chunk.bytes[skip..];
            let len = left.len().min(into.len() - copied);
            into[copied..copied + len].copy_from_slice(&left[..len]);
            copied += len;
            skip = 0;
            if copied == into.len() {
                break;
            }
        }
        copied
    }

    /// So many bytes were read: what of it no longer takes memory, by sender.
    pub(super) fn consume(&mut self, mut len: usize) -> Vec<(SocketId, u32)> {
        let mut freed = Vec::new();
        while let Some(chunk) = self.chunks.front() {
            let left = chunk.bytes.len() - self.read;
            if len < left {
                self.read += len;
                break;
            }
            len -= left;
            freed.push((chunk.sender, chunk.cost));
            self.pop();
        }
        freed
    }
}

/// The most bytes of a stream in one piece: `SKB_MAX_HEAD(0)` and `UNIX_SKB_FRAGS_SZ`.
pub(super) const MOST_OF_STREAM: usize = HEAD_OF_STREAM + 32_768;

/// What fits in one page beside the end of a packet's buffer: `SKB_MAX_HEAD(0)`.
const HEAD_OF_STREAM: usize = PAGE - END;
/// What fits in four pages: `SKB_MAX_ALLOC`.
const HEAD_OF_DATAGRAM: usize = 4 * PAGE - END;
const END: usize = 320;
const PAGE: usize = 4_096;

/// What a chunk takes of its sender's buffer, as Linux does it: `unix_stream_sendmsg`, `unix_dgram_sendmsg`,
/// `sock_alloc_send_pskb`. What does not fit in the head is in pages.
pub(super) fn cost(kind: Kind, len: usize) -> u32 {
    let (most_of_head, most_of_pages) = match kind {
        Kind::Stream => (HEAD_OF_STREAM, usize::MAX),
        Kind::Datagram => (HEAD_OF_DATAGRAM, 17 * PAGE),
    };
    let beyond = len.saturating_sub(most_of_head).min(most_of_pages);
    let in_pages = beyond.next_multiple_of(PAGE).min(len);
    let head = (len - in_pages + END).next_power_of_two().max(512);
    u32::try_from(256 + head + in_pages.next_multiple_of(PAGE)).expect("it is limited")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many chunks are taken until 212,992 or more are: measured with Linux 6.18.
    fn check(kind: Kind, len: usize, expected: u32) {
        assert_eq!(212_991 / cost(kind, len) + 1, expected, "{kind:?} of {len}");
    }

    #[test]
    fn a_chunk_costs_what_it_costs_in_linux() {
        let stream = [
            (1, 278),
            (100, 278),
            (300, 167),
            (500, 167),
            (1_000, 93),
            (2_000, 49),
            (4_000, 44),
            (8_000, 24),
            (10_000, 17),
            (16_000, 13),
            (32_000, 7),
            (36_000, 6),
            (MOST_OF_STREAM, 6),
        ];
        stream.iter().for_each(|(len, count)| check(Kind::Stream, *len, *count));
        let datagrams = [(1, 278), (100, 278), (1_000, 93), (30_000, 7), (100_000, 3)];
        datagrams.iter().for_each(|(len, count)| check(Kind::Datagram, *len, *count));
    }
}
