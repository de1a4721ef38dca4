//! T9 and T20: keys of the operator's in the forms that programs write them, with the real binary and openssl.

use std::{fs, path::Path, process::Command, thread};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{furnish, obtain};
use crate::support::{
    ADMIN, Client, claim, secret_file,
    server::{Server, coffer, said, serve},
};

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn head(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

async fn listed(client: &Client) -> Vec<Value> {
    client.get("/api/token/keys/").await.is(200)["keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn t9_a_private_key_in_a_file_signs_as_what_it_is_and_its_public_key_only_verifies() {
    for (algorithm, make) in [
        ("RS256", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        ("ES256", "ecparam -name prime256v1 -genkey"),
        ("EdDSA", "genpkey -algorithm ED25519"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let private = secret_file(dir.path(), "private.pem", &openssl(dir.path(), make));
        let public = openssl(dir.path(), "pkey -in private.pem -pubout");
        let public = secret_file(dir.path(), "public.pem", &public);
        let secret = secret_file(dir.path(), "secret", b"Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAxxqMtU9eD2vK");
        let [private, public, secret] = [&private, &public, &secret].map(|path| path.to_str().unwrap());

        let alone = said(&serve(&data, &["--signing-key-file", public]).output().unwrap());
        assert!(alone.starts_with("1: ") && alone.contains("coffer: only public keys were given"), "{alone}");
        let twice = serve(&data, &["--signing-key-file", private, "--signing-key-file", public]).output().unwrap();
        assert!(said(&twice).contains("one and the same"), "{}", said(&twice));

        let mut server = Server::start(&data, &["--signing-key-file", private]);
        let admin = furnish(&server.stranger(), &server.setup_code()).await;
        let pair = obtain(&server.stranger(), ADMIN).await;
        assert_eq!(head(&pair.access)["alg"], algorithm);
        let keys = listed(&admin).await;
        assert_eq!((keys.len(), &keys[0]["alg"], &keys[0]["kid"]), (1, &json!(algorithm), &head(&pair.access)["kid"]));
        let secrets = ["d", "p", "q", "k"].into_iter().find(|name| keys[0].get(name).is_some());
        assert_eq!(secrets, None, "only what is public is told");

        // The old and famous forgery: HS256 with what everybody may know.
        let bytes = fs::read(public).unwrap();
        for key in [&bytes[..], bytes.strip_suffix(b"\n").unwrap(), keys[0].to_string().as_bytes()] {
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
            for alg in ["HS256", algorithm] {
                let head = json!({"typ": "JWT", "alg": alg, "kid": head(&pair.access)["kid"]}).to_string();
                let payload = pair.access.split('.').nth(1).unwrap();
                let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(head));
                let signature = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
                let forged = Client { access: Some(format!("{message}.{signature}")), ..server.stranger() };
                forged.get("/api/users/me/").await.refused(401);
            }
        }
        server.stop();

        // Another key signs now, and the public one still verifies what the private one signed.
        let server = Server::start(&data, &["--signing-key-file", public, "--signing-key-file", secret]);
        let old = Client { access: Some(pair.access.clone()), ..server.stranger() };
        old.get("/api/users/me/").await.is(200);
        assert_eq!(head(&obtain(&server.stranger(), ADMIN).await.access)["alg"], "HS256");
        assert_eq!(listed(&old).await.len(), 1);
        assert!(claim(&pair.access, "sid").is_string());
    }
}

#[tokio::test]
async fn t20_a_key_from_a_file_comes_into_the_ring_as_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = furnish(&server.stranger(), &server.setup_code()).await;
    let before = obtain(&server.stranger(), ADMIN).await;
    server.stop();
    let key = openssl(dir.path(), "ecparam -name prime256v1 -genkey");
    let key = secret_file(dir.path(), "key.pem", &key);
    let other = secret_file(dir.path(), "other.pem", &openssl(dir.path(), "genpkey -algorithm ED25519"));
    let public = openssl(dir.path(), "pkey -in other.pem -pubout");
    fs::remove_file(other).unwrap();
    let public = secret_file(dir.path(), "public.pem", &public);
    let add = |file: &Path| said(&coffer(&["keys", "add", "--from", file.to_str().unwrap()], &data));
    assert!(add(&key).contains("\tES256\tactive\t"));
    assert!(add(&public).contains("\tEdDSA\tverify-only\t"));
    assert!(add(&key).contains("is in the ring already"), "{}", add(&key));
    let certificate =
        secret_file(dir.path(), "cert.pem", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    assert!(add(&certificate).starts_with("1: coffer: "), "{}", add(&certificate));
    assert!(add(&certificate).contains("is a certificate"));

    let server = Server::start(&data, &[]);
    let old = Client { access: Some(before.access), ..server.stranger() };
    old.get("/api/users/me/").await.is(200);
    let pair = obtain(&server.stranger(), ADMIN).await;
    assert_eq!(head(&pair.access)["alg"], "ES256");
    let mut kinds: Vec<_> = listed(&admin_of(&server, &admin)).await.iter().map(|key| key["alg"].to_string()).collect();
    kinds.sort();
    assert_eq!(kinds, ["\"ES256\"", "\"EdDSA\""]);
}

fn admin_of(server: &Server, admin: &Client) -> Client {
    Client { base: server.base.clone(), ..admin.clone() }
}

#[test]
fn t9_a_path_that_is_no_file_ends_the_start_with_a_sentence_and_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let [certificate, key, web] = ["certificate.pem", "key.pem", "web"].map(|name| dir.path().join(name));
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&certificate, signed.cert.pem()).unwrap();
    fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    fs::create_dir(&web).unwrap();
    fs::write(web.join("index.html"), "<!doctype html>").unwrap();
    let large = dir.path().join("large");
    fs::File::create(&large).unwrap().set_len(8 << 30).unwrap();
    for (path, told) in [
        (pipe.as_path(), "is a pipe, and not all of it has come within 5 seconds"),
        (large.as_path(), "has more than"),
        (Path::new("/dev/zero"), "is a device"),
        (Path::new("/dev/null"), "is a device"),
        (socket.as_path(), "is a socket"),
        (dir.path(), "is a directory"),
        (Path::new("/nonexistent"), "No such file"),
    ] {
        let named = path.to_str().unwrap();
        let try_one = &|i: usize, options: &[&str]| {
            let option = options[options.len() - 2];
            // A list may take longer to come out of a pipe.
            if option == "--password-list" && path == pipe {
                return;
            }
            let refused = said(&serve(&dir.path().join(format!("data{i}")), options).output().unwrap());
            assert!(
                refused.starts_with("1: ") && refused.contains("coffer: ") && refused.contains(told),
                "{option} {}: {refused}",
                path.display()
            );
        };
        let key = key.to_str().unwrap();
        let tried: [&[&str]; 6] = [
            &["--signing-key-file", named],
            &["--pepper-file", named],
            &["--tls-cert", named, "--tls-key", key],
            &["--tls-cert", certificate.to_str().unwrap(), "--tls-key", named],
            &["--web-dir", web.to_str().unwrap(), "--web-csp", named],
            &["--password-list", named],
        ];
        // At once: at a pipe each waits for as long as it may.
        thread::scope(|scope| {
            for (i, options) in tried.into_iter().enumerate() {
                scope.spawn(move || try_one(i, options));
            }
        });
    }
}
