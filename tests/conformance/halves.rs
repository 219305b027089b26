//! Streams in two halves.

use super::ends::pair;
use super::rt::{
    io::{self, AsyncReadExt, AsyncWriteExt, Interest},
    net::{UnixStream},
    settle, soon, spawn,
};
use std::time::Duration;

cases! {
    fn halves_know_their_addresses(notes) {
        let (a, b) = pair().await;
        let (here, there) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        let (mut a, _b) = (a, b);
        {
            let (read, write) = a.split();
            notes.see("read", (read.local_addr().unwrap() == here, read.peer_addr().unwrap() == there));
            notes.see("write", (write.local_addr().unwrap() == here, write.peer_addr().unwrap() == there));
        }
        let (read, write) = a.into_split();
        notes.see("read", (read.local_addr().unwrap() == here, read.peer_addr().unwrap() == there));
        notes.see("write", (write.local_addr().unwrap() == here, write.peer_addr().unwrap() == there));
        notes.result("options", read.as_ref().nodelay());
        notes.result("options", write.as_ref().nodelay());
    }

    fn halves_that_are_tried(notes) {
        let (a, b) = pair().await;
        let (read, write) = a.into_split();
        write.writable().await.unwrap();
        notes.result("read", read.try_read(&mut [0; 8]));
        notes.result("write", write.try_write(b"abc"));
        notes.see("ready", write.ready(Interest::WRITABLE).await.unwrap());
        b.writable().await.unwrap();
        b.try_write(b"xyz").unwrap();
        read.readable().await.unwrap();
        notes.see("ready", read.ready(Interest::READABLE).await.unwrap());
        let mut buffer = Vec::with_capacity(2);
        notes.result("read", read.try_read_buf(&mut buffer));
        notes.result("read", read.try_read(&mut [0; 8]));
    }

    fn a_reading_half_peeks(notes) {
        let (a, mut b) = pair().await;
        let (mut read, _write) = a.into_split();
        b.write_all(b"peek").await.unwrap();
        settle().await;
        let mut buffer = [0; 2];
        notes.result("peek", read.peek(&mut buffer).await);
        notes.see("bytes", buffer);
        notes.result("read", read.read(&mut [0; 8]).await);
    }

    fn what_does_not_fit_comes_back(notes) {
        let ((a, mut b), (c, mut d)) = (pair().await, pair().await);
        let (read_a, write_a) = a.into_split();
        let (read_c, write_c) = c.into_split();
        let error = read_a.reunite(write_c).unwrap_err();
        notes.see("text", error.to_string());
        let (read_a, write_c) = (error.0, error.1);
        let error = write_a.reunite(read_c).unwrap_err();
        let (write_a, read_c) = (error.1, error.0);
        let (_, _) = (write_a, read_c);
        let _kept = (read_a, write_c);
        notes.see("b", soon(b.read(&mut [0; 8])).await.map(|result| result.unwrap()));
        notes.see("d", soon(d.read(&mut [0; 8])).await.map(|result| result.unwrap()));
    }

    fn a_reading_half_that_goes(notes) {
        let (a, mut b) = pair().await;
        let (read, mut write) = a.into_split();
        drop(read);
        settle().await;
        notes.whether("peer writes", b.write_all(b"nobody reads").await);
        settle().await;
        notes.whether("write", write.write_all(b"x").await);
        notes.result("peer reads", b.read(&mut [0; 8]).await);
        drop(write);
        settle().await;
        notes.result("peer reads", b.read(&mut [0; 8]).await);
    }

    fn a_writing_half_that_goes_after_a_reset(notes) {
        let (a, b) = pair().await;
        let (mut read, write) = a.into_split();
        #[allow(deprecated)]
        b.set_linger(Some(Duration::ZERO)).unwrap();
        drop(b);
        settle().await;
        drop(write);
        notes.result("read", read.read(&mut [0; 8]).await);
        notes.result("read", read.read(&mut [0; 8]).await);
    }

    fn borrowed_halves_leave_the_stream_open(notes) {
        let (mut a, mut b) = pair().await;
        {
            let (_read, mut write) = a.split();
            notes.whether("write", write.write_all(b"one").await);
        }
        notes.whether("write", a.write_all(b"two").await);
        let mut text = [0; 6];
        notes.result("read", b.read_exact(&mut text).await);
        notes.see("waits", soon(b.read(&mut text)).await.is_none());
    }

    fn a_borrowed_half_shuts_down(notes) {
        let (mut a, mut b) = pair().await;
        {
            let (mut read, mut write) = a.split();
            notes.whether("shutdown", write.shutdown().await);
            notes.result("write", write.write(b"x").await);
            notes.result("peer reads", b.read(&mut [0; 8]).await);
            b.write_all(b"answer").await.unwrap();
            notes.result("read", read.read(&mut [0; 8]).await);
        }
        notes.result("write", a.write(b"x").await);
    }

    fn halves_in_two_tasks(notes) {
        let (a, mut b) = pair().await;
        let (mut read, mut write) = a.into_split();
        let reads = spawn(async move {
            let mut text = String::new();
            read.read_to_string(&mut text).await.map(|_| text)
        });
        notes.whether("write", write.write_all(b"question").await);
        let mut text = [0; 8];
        notes.result("read", b.read_exact(&mut text).await);
        b.write_all(b"answer").await.unwrap();
        drop(b);
        notes.result("read", reads.await.unwrap());
    }

    fn halves_of_any_stream(notes) {
        let (a, mut b) = pair().await;
        let (read, mut write) = io::split(a);
        write.write_all(b"x").await.unwrap();
        notes.result("read", b.read(&mut [0; 8]).await);
        notes.see("belong together", read.is_pair_of(&write));
        drop(write);
        notes.see("nothing is shut down", soon(b.read(&mut [0; 8])).await.is_none());
        drop(read);
        notes.result("end", b.read(&mut [0; 8]).await);
    }

    fn unix_halves(notes) {
        let (a, mut b) = UnixStream::pair().unwrap();
        let (mut read, mut write) = a.into_split();
        notes.see("peer", read.peer_addr().unwrap());
        write.write_all(b"x").await.unwrap();
        notes.result("read", b.read(&mut [0; 8]).await);
        drop(write);
        notes.result("end", b.read(&mut [0; 8]).await);
        notes.whether("write", b.write_all(b"answer").await);
        notes.result("read", read.read(&mut [0; 8]).await);
        drop(read);
        settle().await;
        notes.result("write", b.write(b"x").await);
    }

    fn unix_halves_together_again(notes) {
        let ((a, mut b), (c, _d)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let (read_a, write_a) = a.into_split();
        let (_read_c, write_c) = c.into_split();
        let error = read_a.reunite(write_c).unwrap_err();
        notes.see("text", error.to_string());
        let mut a = error.0.reunite(write_a).unwrap();
        a.write_all(b"x").await.unwrap();
        notes.result("read", b.read(&mut [0; 8]).await);
    }

    fn a_forgotten_unix_half(notes) {
        let (a, mut b) = UnixStream::pair().unwrap();
        let (read, write) = a.into_split();
        write.forget();
        notes.see("peer waits", soon(b.read(&mut [0; 8])).await.is_none());
        drop(read);
        notes.result("end", b.read(&mut [0; 8]).await);
    }
}
