//! What tokio's published tests do not ask.

use super::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, duplex, repeat, sink};
use crate::{
    runtime::Builder,
    task::{coop, yield_now},
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

fn run<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn an_endless_copy_lets_others_run() {
    run(async {
        let (mut reader, mut writer) = (repeat(1), sink());
        let mut endless = pin!(copy(&mut reader, &mut writer));
        let mut other = pin!(yield_now());
        poll_fn(|cx| {
            assert!(endless.as_mut().poll(cx).is_pending());
            other.as_mut().poll(cx)
        })
        .await;
    });
}

#[test]
fn what_a_pending_copy_took_stays_taken() {
    run(async {
        let (mut reader, mut writer) = (repeat(1), sink());
        let mut endless = pin!(copy(&mut reader, &mut writer));
        poll_fn(|cx| {
            assert!(endless.as_mut().poll(cx).is_pending());
            assert!(!coop::has_budget_remaining());
            Poll::Ready(())
        })
        .await;
    });
}

#[test]
fn a_copy_that_waits_takes_nothing() {
    run(async {
        let (mut here, _there) = duplex(8);
        let mut writer = sink();
        let mut waiting = pin!(copy(&mut here, &mut writer));
        poll_fn(|cx| {
            for _ in 0..1000 {
                assert!(waiting.as_mut().poll(cx).is_pending());
            }
            assert!(coop::has_budget_remaining());
            Poll::Ready(())
        })
        .await;
    });
}

#[test]
fn a_proxy_between_tasks() {
    run(async {
        let (mut client, mut front) = duplex(3);
        let (mut back, mut server) = duplex(5);
        let proxy = crate::spawn(async move { copy_bidirectional(&mut front, &mut back).await });
        let echo = crate::spawn(async move {
            let mut request = Vec::new();
            server.read_to_end(&mut request).await.unwrap();
            server.write_all(&request).await.unwrap();
        });
        client.write_all(b"over the wire").await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "over the wire");
        echo.await.unwrap();
        assert_eq!(proxy.await.unwrap().unwrap(), (13, 13));
    });
}

#[test]
fn a_pipe_takes_from_the_budget() {
    run(async {
        let (mut here, mut there) = duplex(1024);
        let rounds = poll_fn(|cx| {
            let mut rounds = 0;
            loop {
                let mut byte = [0];
                if pin!(here.write(b"x")).poll(cx).is_pending()
                    || pin!(there.read(&mut byte)).poll(cx).is_pending()
                {
                    return Poll::Ready(rounds);
                }
                rounds += 1;
            }
        })
        .await;
        assert_eq!(rounds, 64);
    });
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn output_needs_a_runtime() {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut out = super::stdout();
    let _ = tokio::io::AsyncWrite::poll_write(Pin::new(&mut out), &mut cx, b"lost\n");
}

#[test]
fn futures_may_change_threads() {
    fn check<T: Send + Sync>(_: T) {}
    let (mut reader, mut writer) = (repeat(1), sink());
    check(copy(&mut reader, &mut writer));
    let (mut here, mut there) = duplex(1);
    check(copy_bidirectional(&mut here, &mut there));
    check(super::simplex(1));
    check((super::stdin(), super::stdout(), super::stderr(), super::empty()));
}
