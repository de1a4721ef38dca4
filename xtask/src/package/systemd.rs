//! The .deb where systemd runs: a bare system is booted, and what docs/deployment.md has an operator do is done in it: another address, a backup by the
//! timer's service, an upgrade, a restore, certbot's files, a removal. After each the record is there.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{
    root::{Booted, Root},
    tried::Client,
};
use crate::step;

/// Where systemd is installed, and the host's name in certificates.
const NEEDS: [&str; 4] = ["systemd", "systemd-sysv", "dbus", "procps"];
const HOST: &str = "coffer.example.com";
const RESTORE: &str = "
    systemctl stop coffer.socket coffer
    mv /var/lib/coffer /var/lib/coffer.before
    install -d -o coffer -g coffer -m 700 /var/lib/coffer
    coffer restore \"$(ls -t /var/lib/coffer-backups/*.backup | head -n 1)\" --data /var/lib/coffer
    systemctl start coffer.socket coffer";

/// Installs the older package and upgrades it.
pub(super) fn try_deb(older: &Path, newer: &Path) -> Result<()> {
    let root = Root::fresh("systemd")?;
    root.apt(&NEEDS)?;
    let (older, newer) = (root.take(older)?, root.take(newer)?);
    // /tmp is another one after the start.
    root.run(&["sh", "-c", &format!("mv {older} {newer} /srv/")])?;
    let in_root = |file: &str| file.replace("/tmp/", "/srv/");
    // The network is this machine's, so the port is one that is free here.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let place = root.path("etc/systemd/system/coffer.socket.d");
    fs::create_dir_all(&place)?;
    fs::write(place.join("override.conf"), format!("[Socket]\nListenStream=\nListenStream={address}\n"))?;

    let system = root.boot()?;
    let said = system.run(&format!("dpkg --install {}", in_root(&older)))?;
    if !said.contains("journalctl -u coffer") {
        bail!("nobody is told where the link is: {said}");
    }
    let mut client = Client { address, code: None };
    let serves = |what: &str, client: &Client| {
        system.wait_for("systemctl is-active --quiet coffer.service")?;
        client.expect_record().with_context(|| what.to_owned())
    };
    system.wait_for("journalctl -u coffer --no-pager | grep -q setup.code=")?;
    let journal = system.run("journalctl -u coffer --no-pager")?;
    client.code = journal.lines().rev().find_map(|line| Some(line.split_once("/setup?code=")?.1.trim().to_owned()));
    client.make_first_record()?;
    system.run("systemctl restart coffer")?;
    serves("after a restart", &client)?;

    system.run("systemctl enable --quiet --now coffer-backup.timer && systemctl start coffer-backup.service")?;
    system.run("systemctl list-timers --no-pager | grep -q coffer-backup")?;
    system.run("test -s /var/lib/coffer-backups/coffer-*.backup")?;
    system.run(&format!("dpkg --install {}", in_root(&newer)))?;
    serves("after the upgrade", &client)?;
    system.run(RESTORE)?;
    serves("after the restore by root", &client)?;
    let by_service =
        RESTORE.replace("coffer restore", "setpriv --reuid coffer --regid coffer --clear-groups coffer restore");
    system.run(&by_service.replace("coffer.before", "coffer.before-2"))?;
    serves("after the restore by the service's user", &client)?;
    system.run("echo COFFER_LISTEN=127.0.0.1:1 >> /etc/coffer/coffer.env && systemctl restart coffer")?;
    system.wait_for("journalctl -u coffer --no-pager | grep -q 'is ignored'")?;

    certificate(&root, &system)?;
    system.run(&format!(
        "coffer health --listen {} --tls-cert /etc/letsencrypt/live/{HOST}/fullchain.pem",
        client.address
    ))?;
    system
        .run("dpkg --remove coffer && test -d /var/lib/coffer/store && ! systemctl is-active --quiet coffer.socket")?;
    system
        .run("dpkg --purge coffer && ! test -e /var/lib/coffer && test -s /var/lib/coffer-backups/coffer-*.backup")?;
    Ok(())
}

/// A certificate as certbot leaves it, which root alone can read, and a renewal.
fn certificate(root: &Root, system: &Booted) -> Result<()> {
    let live = root.path(&format!("etc/letsencrypt/live/{HOST}"));
    fs::create_dir_all(&live)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]);
    openssl.args(["-subj", &format!("/CN={HOST}"), "-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-addext", &format!("subjectAltName=DNS:{HOST}")]).current_dir(&live);
    step::run(openssl.args(["-keyout", "privkey.pem", "-out", "fullchain.pem"]).stderr(Stdio::null()))?;
    system.run(&format!(
        "chmod 700 /etc/letsencrypt/live && chmod 600 /etc/letsencrypt/live/{HOST}/privkey.pem
         install -D -m 644 /etc/coffer/tls.conf /etc/systemd/system/coffer.service.d/tls.conf
         systemctl daemon-reload && systemctl restart coffer.socket coffer
         install -D -m 755 /etc/coffer/certbot-deploy.sh /etc/letsencrypt/renewal-hooks/deploy/coffer
         /etc/letsencrypt/renewal-hooks/deploy/coffer"
    ))?;
    system.wait_for("systemctl is-active --quiet coffer.service")
}
