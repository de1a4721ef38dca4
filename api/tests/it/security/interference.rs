//! D1 of the kind and not of cases: two stores that differ only in what a caller may not see are asked the same generated requests, of every
//! endpoint, as that caller and as nobody. Every answer is the same but for ids and revisions, which are renamed one-to-one in the order in
//! which they appear, and but for what docs/security.md lists as unavoidable.
//!
//! `COFFER_INTERFERENCE_REQUESTS` says how many requests to compare, `COFFER_SEED` repeats a run. `cargo xtask torture` runs many more.

mod asked;
mod compare;
mod random;
mod requests;
mod timing;
mod wholes;
mod world;

use std::collections::BTreeMap;

use self::{
    asked::Asked,
    compare::{Renaming, told},
    random::Random,
    requests::Requests,
    world::World,
};

/// Requests to one pair of stores; then others are made.
const IN_A_WORLD: usize = 400;

/// What the two answers came to.
enum Outcome {
    Same(u16),
    /// docs/security.md lists it; from here on the stores differ in what can be seen.
    Unavoidable,
}

async fn ask(world: &mut World, renaming: &mut Renaming, asked: &Asked, seed: u64) -> Outcome {
    let [left, right] = [asked.send(world, 0).await, asked.send(world, 1).await];
    let (a, b) = (told(&left, &world.stores[0].base), told(&right, &world.stores[1].base));
    match renaming.compare(&a, &b) {
        Ok(()) => {
            world.learn(asked, [&left, &right]);
            world.go_on(asked, left.status).await;
            Outcome::Same(left.status)
        }
        Err(_) if asked.is_unavoidable(&left, &right) => Outcome::Unavoidable,
        Err(difference) => panic!(
            "COFFER_SEED={seed}: the answers differ, {difference}\n{asked:?}\n{:#?}\n{} {a:?}\n{} {b:?}",
            world.definitions, left.status, right.status
        ),
    }
}

#[tokio::test]
async fn d1_two_stores_that_differ_in_what_a_caller_may_not_see_answer_alike() {
    let wanted = std::env::var("COFFER_INTERFERENCE_REQUESTS").ok().and_then(|wanted| wanted.parse().ok());
    let (wanted, seed): (usize, u64) = (wanted.unwrap_or(1200), random::seed("interference"));
    let (mut compared, mut unavoidable, mut turn) = (0, 0, 0);
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    while compared < wanted {
        turn += 1;
        let mut random = Random::new(seed.wrapping_add(turn * 7919));
        let mut world = World::make(&mut random).await;
        let mut renaming = Renaming::default();
        for n in 0..IN_A_WORLD.min(wanted - compared) {
            let asked = Requests { random: &mut random, world: &world }.next(n);
            let outcome = ask(&mut world, &mut renaming, &asked, seed).await;
            compared += 1;
            match outcome {
                Outcome::Same(status) => *statuses.entry(status).or_default() += 1,
                Outcome::Unavoidable => {
                    unavoidable += 1;
                    break;
                }
            }
        }
    }
    println!(
        "interference: {compared} requests compared, {unavoidable} unavoidable differences, 0 others; {statuses:?}"
    );
    for status in [200, 201, 204, 400, 401, 403, 404] {
        assert!(statuses.contains_key(&status), "no request was answered with {status}: {statuses:?}");
    }
}
