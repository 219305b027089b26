//! Control functions: which mistakes they tell.

use sim::net;
use std::time::Duration;

#[sim::test]
#[should_panic(expected = "there is no machine named \"nobody\"; there are \"main\"")]
async fn a_name_that_is_none() {
    net::partition("main", "nobody");
}

#[sim::test]
#[should_panic(expected = "no machine has the address 192.0.2.1")]
async fn an_address_that_is_none() {
    net::hold("main", std::net::Ipv4Addr::new(192, 0, 2, 1));
}

#[sim::test]
#[should_panic(expected = "\"main\" is on both sides")]
async fn a_machine_and_itself() {
    net::partition("main", ["main"]);
}

#[sim::test]
#[should_panic(expected = "a side has no hosts")]
async fn links_to_nobody() {
    net::repair("main", Vec::<String>::new());
}

#[sim::test]
#[should_panic(expected = "over 0 bytes a second nothing arrives")]
async fn no_bandwidth() {
    net::default_link().bandwidth(0);
}

#[sim::test]
#[should_panic(expected = "1000001 of 1000000 is more than all")]
async fn more_than_all() {
    net::default_link().loss_ppm(1_000_001);
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn outside_of_a_simulation() {
    net::heal();
}

#[sim::test]
async fn figures_can_be_set_and_reset() {
    net::default_link()
        .latency(Duration::from_millis(1)..=Duration::from_millis(2))
        .jitter(Duration::from_micros(10))
        .loss_ppm(1)
        .duplicate_ppm(2)
        .corrupt_ppm(3)
        .bandwidth(1_000)
        .capacity(4)
        .mtu(1_280)
        .reset();
    net::heal();
}
