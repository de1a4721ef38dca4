//! `cargo xtask run --cluster N`: N servers over one PostgreSQL, behind nginx, on this machine. Everything of it is in one folder, and it all ends
//! with Ctrl-C.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    apt, postgresql,
    step::{self, step},
    workspace::which,
};

/// Where nginx listens; the servers take the ports behind it.
const PORT: usize = 8000;

/// The processes, which end with this.
struct Running(Vec<(String, Child)>);

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
        }
        for (_, child) in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// A program that is asked to end when this process does.
fn program(path: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(path.as_ref()).stdin(Stdio::null());
    command
}

/// Starts all of it, and waits until one of them ends.
pub(crate) fn run(server: &Path, nodes: &str, arguments: &[&String]) -> Result<()> {
    let nodes: usize =
        nodes.parse().ok().filter(|nodes| (1..=9).contains(nodes)).context("--cluster takes 1 to 9 servers")?;
    if which("nginx").is_none() && !Path::new("/usr/sbin/nginx").exists() {
        step("nginx, by apt-get", || apt::install(&["nginx-light"], "several servers behind one address"))?;
    }
    let nginx = which("nginx").unwrap_or_else(|| PathBuf::from("/usr/sbin/nginx"));
    let dir = std::env::temp_dir()
        .join(format!("coffer-cluster-{}", step::answer(Command::new("id").arg("-u")).unwrap_or_default()));
    fs::create_dir_all(&dir)?;
    let mut running = Running(Vec::new());
    let postgres = postgresql::start(&dir)?;
    running.0.push(("PostgreSQL".to_owned(), postgres));

    let file = |name: &str| dir.join(name);
    fs::write(file("database.url"), postgresql::url(&dir))?;
    if !file("signing.key").exists() {
        let mut bytes = [0; 32];
        std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
        fs::write(file("signing.key"), bytes)?;
    }
    let ports = PORT + 1..=PORT + nodes;
    for port in ports.clone() {
        let mut node = program(server);
        node.arg("serve").args(["--database-create", "--trusted-proxy", "127.0.0.1", "--listen"]);
        node.arg(format!("127.0.0.1:{port}")).arg("--data").arg(file(&format!("server-{port}")));
        node.arg("--database-url-file").arg(file("database.url")).arg("--signing-key-file").arg(file("signing.key"));
        let node = node.args(arguments).spawn().with_context(|| format!("cannot start {}", server.display()))?;
        running.0.push((format!("the server at port {port}"), node));
    }
    fs::write(file("nginx.conf"), configuration(&dir, ports))?;
    let proxy =
        program(nginx).arg("-p").arg(&dir).arg("-c").arg(file("nginx.conf")).spawn().context("cannot start nginx")?;
    running.0.push(("nginx".to_owned(), proxy));
    println!(
        "xtask: {nodes} servers answer at http://127.0.0.1:{PORT}; what they keep is in {}; Ctrl-C ends them",
        dir.display()
    );
    loop {
        for (name, child) in &mut running.0 {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended: {status}");
            }
        }
        sleep(Duration::from_millis(200));
    }
}

fn configuration(dir: &Path, ports: impl Iterator<Item = usize>) -> String {
    let servers: Vec<String> = ports.map(|port| format!("    server 127.0.0.1:{port} fail_timeout=1s;\n")).collect();
    let servers = servers.concat();
    let dir = dir.display();
    format!(
        "daemon off;\npid {dir}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\n  access_log off;\n  client_body_temp_path {dir}/body;\n  \
         proxy_temp_path {dir}/proxy;\n  fastcgi_temp_path {dir}/fastcgi;\n  uwsgi_temp_path {dir}/uwsgi;\n  scgi_temp_path {dir}/scgi;\n  \
         upstream coffer {{\n{servers}    keepalive 64;\n  }}\n  server {{\n    listen 127.0.0.1:{PORT};\n    client_max_body_size 0;\n    \
         location / {{\n      proxy_pass http://coffer;\n      proxy_http_version 1.1;\n      proxy_set_header Host $http_host;\n      \
         proxy_set_header X-Forwarded-For $remote_addr;\n      proxy_set_header X-Forwarded-Proto http;\n      proxy_set_header Connection \
         \"\";\n      proxy_buffering off;\n      proxy_request_buffering off;\n    }}\n  }}\n}}\n"
    )
}
