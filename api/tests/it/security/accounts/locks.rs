//! P8: the lock on guessing, whatever name a guess uses.

use super::*;

fn quick_lock() -> Settings {
    let throttle = ThrottleSettings { free_failures: 2, ..ThrottleSettings::default() };
    Settings { throttle, ..Settings::default() }
}

#[tokio::test]
async fn p8_all_names_of_a_user_share_one_lock() {
    let (_held, admin) = Held::with_admin(quick_lock()).await;
    let body = json!({"username": "ulla", "password": PASSWORD, "email": "ulla@example.org"});
    let id = admin.post("/api/users/", &body).await.is(201)["id"].as_str().unwrap().to_owned();
    for typed in ["ulla", "ulla@example.org", "ULLA"] {
        try_obtain(&admin, typed, WRONG).await.refused(401);
    }
    for typed in ["ulla", "Ulla@Example.org"] {
        try_obtain(&admin, typed, PASSWORD).await.refused(429);
    }
    // Another name is the same user.
    admin.patch(&format!("/api/users/{id}/"), &json!({"username": "ursula"})).await.is(200);
    try_obtain(&admin, "ursula", PASSWORD).await.refused(429);
}

#[tokio::test]
async fn p8_an_admin_lets_a_user_in_again_whose_name_is_locked() {
    let (_held, admin) = Held::with_admin(quick_lock()).await;
    let (ulla, _) = user(&admin, "ulla").await;
    let unlock = format!("/api/users/{}/unlock/", ulla.id);
    for _ in 0..3 {
        try_obtain(&admin, "ulla", WRONG).await.refused(401);
    }
    try_obtain(&admin, "ulla", PASSWORD).await.refused(429);
    ulla.post(&unlock, &json!({})).await.refused(403);
    admin.post(&unlock, &json!({})).await.is(204);
    obtain(&admin, "ulla").await;
    let noted = journal(&admin).await;
    let unlocked = noted.iter().find(|change| change.action.as_str() == "unlock").unwrap();
    assert_eq!((unlocked.id.as_str(), unlocked.by.unwrap().to_string()), (ulla.id.as_str(), admin.id.clone()));
    admin.post("/api/users/01920000-0000-7000-8000-000000000001/unlock/", &json!({})).await.refused(404);
}

#[tokio::test]
async fn p8_who_has_the_machine_unlocks_an_admin_while_the_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let unlock = || said(&coffer(&["user", "unlock", ADMIN], &data));
    let mut server = Server::start(&data, &[]);
    server.set_up().await;
    let stranger = server.stranger();
    let mut locked = false;
    for _ in 0..40 {
        locked = locked || try_obtain(&stranger, ADMIN, WRONG).await.status == 429;
    }
    assert!(locked);
    try_obtain(&stranger, ADMIN, PASSWORD).await.refused(429);
    assert_eq!(unlock(), format!("0: {ADMIN} can try to sign in again.\n"));
    obtain(&stranger, ADMIN).await;
    let unknown = said(&coffer(&["user", "unlock", "nobody"], &data));
    assert_eq!(unknown, "1: coffer: there is no user of this name; coffer user list shows all\n");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(data.join("control.sock")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // A killed server leaves its socket behind; the next one takes its place.
    drop(server);
    assert!(unlock().starts_with("1: coffer: no server runs over "), "{}", unlock());
    let server = Server::start(&data, &[]);
    assert!(unlock().starts_with("0: "));
    drop(server);
}

#[tokio::test]
async fn p8_what_stands_in_the_place_of_the_way_in_stays_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    Server::start(&data, &[]).stop();
    let socket = data.join("control.sock");
    let unlock = || said(&coffer(&["user", "unlock", ADMIN], &data));
    for other in ["directory", "file"] {
        if other == "file" { std::fs::write(&socket, "mine") } else { std::fs::create_dir(&socket) }.unwrap();
        let server = Server::start(&data, &[]);
        assert_eq!(server.stranger().get("/readyz").await.status, 200);
        let told =
            format!("{} is a {other}, and the server's control socket has to be there; move it away", socket.display());
        assert!(unlock().contains(&told), "{}", unlock());
        server.stop();
        let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
        assert!(log.contains(&told), "{log}");
        if other == "file" { std::fs::remove_file(&socket) } else { std::fs::remove_dir(&socket) }.unwrap();
    }
}

#[tokio::test]
async fn p8_the_way_in_works_in_a_folder_of_any_depth_and_past_those_who_say_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let deep =
        (0..5).fold(dir.path().to_owned(), |path, _| path.join("a-name-of-fifty-letters-that-makes-a-path-long-xxx"));
    std::fs::create_dir_all(&deep).unwrap();
    let data = deep.join("data");
    assert!(data.as_os_str().len() > 200);
    let mut server = Server::start(&data, &[]);
    server.set_up().await;
    let unlock = || said(&coffer(&["user", "unlock", ADMIN], &data));
    let unlocked = format!("0: {ADMIN} can try to sign in again.\n");
    assert_eq!(unlock(), unlocked);
    let socket = data.join("control.sock");
    assert!(socket.exists());
    // By the folder, as the program does: the path is too long for an address.
    let folder = std::fs::File::open(&data).unwrap();
    let address = format!("/proc/self/fd/{}/control.sock", std::os::fd::AsRawFd::as_raw_fd(&folder));
    let idle: Vec<_> = (0..100).map(|_| std::os::unix::net::UnixStream::connect(&address).unwrap()).collect();
    let began = std::time::Instant::now();
    assert_eq!(unlock(), unlocked);
    assert!(began.elapsed() < Duration::from_secs(4), "it waited for {} who say nothing", idle.len());
    server.stop();
    assert!(!socket.exists(), "it goes with the server");
}

#[tokio::test]
async fn p8_a_device_that_signed_in_before_is_not_kept_out_by_strangers() {
    let (held, admin) = Held::with_admin(quick_lock()).await;
    user(&admin, "otto").await;
    let sign_in = async |name: &str, password: &str, header: &str, value: &str| {
        let request = held.stranger().request(Method::POST, "/api/token/").header("content-type", "application/json");
        let request = if header.is_empty() { request } else { request.header(header, value) };
        Answer::of(request.body(json!({"username": name, "password": password}).to_string())).await
    };
    let first = sign_in(ADMIN, PASSWORD, "", "").await;
    let device = first.header("coffer-device").to_owned();
    assert_eq!(first.is(200).as_object().unwrap().len(), 2, "the body is SimpleJWT's");
    let credentials = json!({"username": ADMIN, "password": PASSWORD});
    let page = from_page(&admin, Method::POST, "/api/session/", "", Some(credentials.clone())).await;
    let lines: Vec<&str> = page.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    let line = lines.iter().find(|line| line.starts_with("__Host-coffer-device=")).unwrap();
    assert!(line.ends_with("; Path=/; Max-Age=15552000; HttpOnly; SameSite=Strict; Secure"), "{line}");
    let cookie = line.split(';').next().unwrap().to_owned();
    for _ in 0..3 {
        sign_in(ADMIN, WRONG, "", "").await.refused(401);
    }
    sign_in(ADMIN, PASSWORD, "", "").await.refused(429);

    // Known devices get in, and get nothing new; the lock of strangers stays.
    let known = sign_in(ADMIN, PASSWORD, "coffer-device", &device).await;
    assert_eq!((known.status, known.header("coffer-device")), (200, ""));
    let known = from_page(&admin, Method::POST, "/api/session/", &cookie, Some(credentials)).await;
    assert_eq!((known.status, known.headers.get_all("set-cookie").iter().count()), (200, 1));
    sign_in(ADMIN, PASSWORD, "", "").await.refused(429);

    // It is no token for anything else, and no other user's.
    assert!(!is_good(&admin, &device).await);
    admin.post("/api/token/verify/", &json!({"token": device})).await.refused(401);
    refresh(&admin, Some(&device)).await.refused(401);
    let other = sign_in("otto", PASSWORD, "", "").await.header("coffer-device").to_owned();
    for bad in [other.as_str(), "x", &admin.access.clone().unwrap(), &device[..device.len() - 2]] {
        sign_in(ADMIN, PASSWORD, "coffer-device", bad).await.refused(429);
    }

    // Guesses with it are counted as everybody's are.
    for _ in 0..3 {
        sign_in(ADMIN, WRONG, "coffer-device", &device).await.refused(401);
    }
    sign_in(ADMIN, PASSWORD, "coffer-device", &device).await.refused(429);
    // The other device of the same user has a lock of its own.
    let request = from_page(
        &admin,
        Method::POST,
        "/api/session/",
        &cookie,
        Some(json!({"username": ADMIN, "password": PASSWORD})),
    );
    request.await.is(200);
    held.hand.advance(Duration::from_hours(24 * 181));
    let old = sign_in(ADMIN, PASSWORD, "coffer-device", &device).await;
    assert!(!old.header("coffer-device").is_empty(), "after half a year it is known anew");
}
