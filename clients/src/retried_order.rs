//! A shop (an axum router) and customers who order over HTTP, and again if there is no answer within a second. The network
//! is cut for a moment. If only the answer is late the order has been taken, and the broken shop takes it twice. The
//! corrected one knows the order again by the key that comes with it.

use axum::{Router, body::Body, extract::State, http::HeaderMap, routing::post};
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use rand::RngExt;
use sim as tokio;
use sim::{
    hyper::{Connector, Executor, Timer, serve},
    rand::rng,
};
use std::sync::{Arc, Mutex};
use tokio::{
    net::TcpListener,
    time::{Duration, sleep, timeout},
};

const CUSTOMERS: [&str; 2] = ["ann", "bob"];

/// What the shop has taken. It outlives a crash, as a database does.
#[derive(Clone, Default)]
struct Orders {
    taken: Arc<Mutex<Vec<String>>>,
    /// Whether an order that is known is not taken again.
    knows: bool,
}

async fn order(State(orders): State<Orders>, headers: HeaderMap, what: String) -> StatusCode {
    let key = headers["idempotency-key"].to_str().unwrap_or_default();
    let order = format!("{key}: {what}");
    let mut taken = orders.taken.lock().unwrap();
    if orders.knows && taken.contains(&order) {
        return StatusCode::OK;
    }
    taken.push(order);
    StatusCode::CREATED
}

fn shop(orders: Orders) -> Router {
    Router::new().route("/orders", post(order)).with_state(orders)
}

/// Orders until the shop says that it has the order.
async fn buy(customer: &str) -> Result<(), hyper::http::Error> {
    let client = Client::builder(Executor).pool_timer(Timer).build::<_, Body>(Connector);
    loop {
        let request = Request::post("http://shop/orders")
            .header("idempotency-key", customer)
            .body(Body::from("a book"))?;
        match timeout(Duration::from_secs(1), client.request(request)).await {
            Ok(Ok(response)) if response.status().is_success() => return Ok(()),
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn sale(knows: bool) {
    let orders = Orders { knows, ..Orders::default() };
    sim::net::default_link().latency(Duration::from_millis(20)..=Duration::from_millis(80));
    let kept = orders.clone();
    let _shop = sim::node("shop").start(move || {
        let router = shop(kept.clone());
        async { serve(TcpListener::bind("0.0.0.0:80").await?, router).await }
    });
    let customers = CUSTOMERS.map(|name| sim::node(name).start(move || buy(name)));
    sleep(Duration::from_millis(rng().random_range(0..500))).await;
    sim::net::partition("shop", &CUSTOMERS[..]);
    sleep(Duration::from_secs(2)).await;
    sim::net::heal();
    for customer in customers {
        customer.join().await.unwrap();
    }
    let mut taken = orders.taken.lock().unwrap().clone();
    taken.sort();
    assert_eq!(taken, ["ann: a book", "bob: a book"], "not one order each");
}

/// Takes what comes.
pub async fn broken() {
    sale(false).await;
}

/// Takes an order once.
pub async fn corrected() {
    sale(true).await;
}
