//! T12: what happens to a chain of refresh tokens that two hold.

use super::*;

#[tokio::test]
async fn t12_in_strict_rotation_a_second_use_ends_the_session_with_its_access_token_and_no_other() {
    let (held, admin, _) = begin(Rotation::Strict).await;
    let (_, first) = user(&admin, "ulla").await;
    let other = obtain(&admin, "ulla").await;
    let second = use_(&admin, &first.refresh).await;
    assert!(is_good(&admin, &second.access).await && verifies(&admin, &second.refresh).await);
    let refused = refresh(&held.stranger(), Some(&first.refresh)).await;
    assert_eq!(refused.refused(401).detail, "Token is blacklisted");
    for token in [&first.access, &second.access, &first.refresh, &second.refresh] {
        assert!(!verifies(&admin, token).await);
    }
    refresh(&admin, Some(&second.refresh)).await.refused(401);
    assert!(is_good(&admin, &other.access).await && verifies(&admin, &other.refresh).await);
    let noted = journal(&admin).await;
    let replays: Vec<_> = noted.iter().filter(|change| change.action.as_str() == "replay").collect();
    assert_eq!(replays.len(), 1);
    assert_eq!(replays[0].id, claim(&first.access, "sid"));
    assert_eq!((replays[0].by, replays[0].address.as_str()), (None, "127.0.0.1"));
}

/// R1 was copied. What its thief gets, and when it shows, is in docs/security.md.
#[tokio::test]
async fn t12_a_thief_who_falls_a_generation_behind_ends_the_session() {
    let (held, admin, first) = begin(Rotation::default()).await;
    let second = tokens(&refresh_from(&admin, OWNER, &first.refresh).await);
    let third = tokens(&refresh_from(&admin, OWNER, &second.refresh).await);
    // Within the grace the thief is taken for a tab that lost an answer, and the list of sessions has both addresses.
    let stolen = tokens(&refresh_from(&admin, THIEF, &first.refresh).await);
    assert!(is_good(&admin, &stolen.access).await);
    assert_eq!(shared_by(&admin, &first).await, json!([OWNER, THIEF]));
    held.hand.advance(GRACE);
    refresh_from(&admin, THIEF, &first.refresh).await.refused(401);
    for token in [&third.access, &third.refresh, &stolen.access, &stolen.refresh] {
        assert!(!verifies(&admin, token).await, "the session has ended for both");
    }
    let noted = journal(&admin).await;
    let replay = noted.iter().find(|change| change.action.as_str() == "replay").unwrap();
    assert_eq!(replay.address, THIEF);
}

#[tokio::test]
async fn t12_a_thief_who_runs_ahead_ends_the_session_when_its_owner_comes() {
    let (held, admin, first) = begin(Rotation::default()).await;
    let stolen = tokens(&refresh_from(&admin, THIEF, &first.refresh).await);
    let ahead = tokens(&refresh_from(&admin, THIEF, &stolen.refresh).await);
    assert!(is_good(&admin, &ahead.access).await);
    held.hand.advance(GRACE + MINUTE);
    refresh_from(&admin, OWNER, &first.refresh).await.refused(401);
    for token in [&ahead.access, &ahead.refresh] {
        assert!(!verifies(&admin, token).await);
    }
}

#[tokio::test]
async fn t12_a_thief_in_step_lives_until_the_session_ends_and_the_list_of_sessions_shows_both_addresses() {
    let session_lifetime = 10 * HOUR;
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let settings = Settings { session_lifetime, trusted_proxies, ..Settings::default() };
    let (held, admin) = Held::with_admin(settings).await;
    let pair = obtain(&admin, ADMIN).await;
    let (mut owners, mut thiefs) = (pair.clone(), pair.clone());
    for _ in 0..19 {
        held.hand.advance(HOUR / 2);
        owners = tokens(&refresh_from(&admin, OWNER, &owners.refresh).await);
        held.hand.advance(Duration::from_secs(5));
        thiefs = tokens(&refresh_from(&admin, THIEF, &thiefs.refresh).await);
        assert_eq!(identity(&owners.refresh), identity(&thiefs.refresh), "nothing tells them apart but where they are");
    }
    let owner = Client { access: Some(owners.access.clone()), ..admin.clone() };
    assert_eq!(shared_by(&owner, &pair).await, json!([OWNER, THIEF]));
    held.hand.advance(HOUR / 2);
    refresh_from(&admin, THIEF, &thiefs.refresh).await.refused(401);
    refresh_from(&admin, OWNER, &owners.refresh).await.refused(401);
}

#[tokio::test]
async fn t12_in_strict_rotation_the_first_double_use_shows_whoever_comes_second() {
    for second in [OWNER, THIEF] {
        let (_held, admin, first) = begin(Rotation::Strict).await;
        let by = if second == OWNER { THIEF } else { OWNER };
        let next = tokens(&refresh_from(&admin, by, &first.refresh).await);
        refresh_from(&admin, second, &first.refresh).await.refused(401);
        assert!(!verifies(&admin, &next.access).await && !verifies(&admin, &next.refresh).await);
    }
}

#[tokio::test]
async fn t12_without_rotation_a_copy_is_good_until_it_expires_or_the_owner_signs_out() {
    let (held, admin, first) = begin(Rotation::Off).await;
    held.hand.advance(23 * HOUR);
    let stolen = tokens(&refresh_from(&admin, THIEF, &first.refresh).await);
    let owners = tokens(&refresh_from(&admin, OWNER, &first.refresh).await);
    let owner = Client { access: Some(owners.access), ..admin.clone() };
    assert_eq!(shared_by(&owner, &first).await, json!([THIEF, OWNER]), "only the list of sessions shows it");
    admin.post("/api/token/blacklist/", &json!({"refresh": first.refresh})).await.is(200);
    assert!(!verifies(&admin, &stolen.access).await);
    refresh_from(&admin, THIEF, &first.refresh).await.refused(401);
}

#[tokio::test]
async fn t12_who_moves_from_one_network_to_another_shares_nothing() {
    let (_held, admin, mut pair) = begin(Rotation::default()).await;
    // Another address for each token, and addresses of one IPv6 network for the same one.
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        let used = pair.refresh.clone();
        pair = tokens(&refresh_from(&admin, address, &used).await);
        if address.contains(':') {
            refresh_from(&admin, "2001:db8::2", &used).await.is(200);
        }
    }
    let client = Client { access: Some(pair.access.clone()), ..admin };
    assert_eq!(shared_by(&client, &pair).await, json!([]));
}
