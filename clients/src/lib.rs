//! Clients that nobody here wrote, in simulations: hyper with axum, redis, tokio-postgres.
//!
//! What learners read first has a binary each, and shows a bug beside its corrected twin: [`retried_order`],
//! [`redis_counter`], [`redis_lock`]. [`redis_server`] and [`postgres_server`] are the other ends of the clients, as much
//! of them as the programs here need. `docs/clients.md` says how to bring a client of your own.

pub mod postgres_server;
pub mod redis_counter;
pub mod redis_lock;
pub mod redis_server;
pub mod retried_order;
