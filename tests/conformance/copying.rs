//! What is built on streams: copies, buffers, lines.

use super::ends::{pair, reset};
use super::rt::{
    io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufStream, BufWriter},
    join,
    net::{TcpStream, UnixStream},
    settle, spawn,
};

cases! {
    fn a_proxy(notes) {
        let ((mut client, mut front), (mut back, mut server)) = (pair().await, pair().await);
        let proxy = spawn(async move { io::copy_bidirectional(&mut front, &mut back).await });
        let serves = spawn(async move {
            let mut question = String::new();
            server.read_to_string(&mut question).await.unwrap();
            server.write_all(b"the answer").await.unwrap();
            question
        });
        client.write_all(b"a question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        notes.result("answer", client.read_to_string(&mut answer).await);
        notes.see("text", answer);
        notes.see("question", serves.await.unwrap());
        notes.result("copied", proxy.await.unwrap());
    }

    fn a_proxy_of_much(notes) {
        let ((client, mut front), (mut back, server)) = (pair().await, pair().await);
        let proxy = spawn(async move { io::copy_bidirectional_with_sizes(&mut front, &mut back, 1_000, 3_000).await });
        let end = |stream: TcpStream, length: usize| async move {
            let (mut read, mut write) = stream.into_split();
            let writer = spawn(async move { write.write_all(&vec![7; length]).await });
            let mut all = Vec::new();
            read.read_to_end(&mut all).await.unwrap();
            writer.await.unwrap().unwrap();
            all.len()
        };
        let (one, two) = join!(end(client, 300_000), end(server, 200_000));
        notes.see("arrived", (one, two));
        notes.result("copied", proxy.await.unwrap());
    }

    fn a_proxy_whose_client_is_reset(notes) {
        let ((client, mut front), (mut back, mut server)) = (pair().await, pair().await);
        let proxy = spawn(async move { io::copy_bidirectional(&mut front, &mut back).await });
        settle().await;
        reset(client);
        notes.result("copied", proxy.await.unwrap());
        notes.result("server", server.read(&mut [0; 8]).await);
    }

    fn a_proxy_whose_server_is_gone(notes) {
        let ((mut client, mut front), (mut back, server)) = (pair().await, pair().await);
        let proxy = spawn(async move { io::copy_bidirectional(&mut front, &mut back).await });
        drop(server);
        settle().await;
        client.write_all(b"x").await.unwrap();
        settle().await;
        client.write_all(b"y").await.unwrap();
        settle().await;
        client.shutdown().await.unwrap();
        notes.see("copied", proxy.await.unwrap().map_err(|error| error.kind()));
    }

    fn a_copy(notes) {
        let ((mut a, mut b), (mut c, mut d)) = (pair().await, pair().await);
        let copy = spawn(async move { io::copy(&mut b, &mut c).await });
        a.write_all(&[7; 100_000]).await.unwrap();
        drop(a);
        let mut all = Vec::new();
        notes.result("read", d.read_to_end(&mut all).await);
        notes.result("copied", copy.await.unwrap());
    }

    fn a_copy_of_what_is_limited(notes) {
        let (mut a, b) = pair().await;
        a.write_all(b"abcdef").await.unwrap();
        let mut taken = Vec::new();
        let mut limited = b.take(4);
        notes.result("copied", io::copy(&mut limited, &mut taken).await);
        notes.result("rest", limited.into_inner().read(&mut [0; 8]).await);
    }

    fn lines(notes) {
        let (mut a, b) = pair().await;
        a.write_all(b"one\r\ntwo\n\nlast").await.unwrap();
        drop(a);
        let mut lines = BufReader::new(b).lines();
        for _ in 0..5 {
            notes.result("line", lines.next_line().await);
        }
    }

    fn lines_that_end_by_a_reset(notes) {
        let (mut a, b) = pair().await;
        a.write_all(b"one\ntw").await.unwrap();
        let mut lines = BufReader::new(b).lines();
        notes.result("line", lines.next_line().await);
        reset(a);
        notes.result("line", lines.next_line().await);
    }

    fn text_that_is_none(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"\xff\xfe").await.unwrap();
        drop(a);
        let mut text = String::new();
        notes.result("read", b.read_to_string(&mut text).await);
        notes.see("text", text);
    }

    fn an_end_that_comes_early(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"abc").await.unwrap();
        drop(a);
        let mut buffer = [0; 8];
        notes.result("read", b.read_exact(&mut buffer).await);
        notes.see("what came", &buffer[..3]);
        notes.result("number", b.read_u32().await);
    }

    fn writing_all_to_one_that_is_gone(notes) {
        let (mut a, b) = pair().await;
        reset(b);
        settle().await;
        notes.whether("write", a.write_all(b"x").await);
        notes.whether("write", a.write_all(b"x").await);
        notes.whether("flush", a.flush().await);
        notes.whether("shutdown", a.shutdown().await);
    }

    fn buffers(notes) {
        let (a, b) = pair().await;
        let (mut a, mut b) = (BufStream::new(a), BufWriter::new(b));
        a.write_all(b"kept back").await.unwrap();
        notes.see("waits", super::rt::soon(b.get_mut().read(&mut [0; 16])).await.is_none());
        notes.whether("flush", a.flush().await);
        notes.result("read", b.get_mut().read(&mut [0; 16]).await);
        b.write_all(b"line\n").await.unwrap();
        notes.whether("shutdown", b.shutdown().await);
        let mut line = String::new();
        notes.result("line", a.read_line(&mut line).await);
        notes.result("end", a.read_line(&mut line).await);
    }

    fn numbers(notes) {
        let (mut a, mut b) = pair().await;
        a.write_u64(0x0102_0304_0506_0708).await.unwrap();
        a.write_i16_le(-2).await.unwrap();
        notes.result("number", b.read_u64().await);
        notes.result("number", b.read_i16_le().await);
    }

    fn into_a_growing_buffer(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"abcdef").await.unwrap();
        settle().await;
        let mut buffer = Vec::with_capacity(4);
        notes.result("read", b.read_buf(&mut buffer).await);
        notes.see("buffer", String::from_utf8_lossy(&buffer).into_owned());
        let mut rest = &b"gh"[..];
        notes.result("write", a.write_buf(&mut rest).await);
        drop(a);
        let mut more = Vec::new();
        notes.result("read", b.read_to_end(&mut more).await);
    }

    fn a_copy_over_unix_streams(notes) {
        let ((mut a, mut b), (mut c, mut d)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let proxy = spawn(async move { io::copy_bidirectional(&mut b, &mut c).await });
        a.write_all(&[7; 1_000]).await.unwrap();
        a.shutdown().await.unwrap();
        let mut all = Vec::new();
        notes.result("read", d.read_to_end(&mut all).await);
        d.write_all(b"back").await.unwrap();
        drop(d);
        notes.result("read", a.read_to_end(&mut all).await);
        notes.result("copied", proxy.await.unwrap());
    }
}
