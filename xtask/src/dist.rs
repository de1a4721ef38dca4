//! `cargo xtask dist`: the release binaries, the web app inside, and their size. A web app that is too large is an error.

use std::fs;

use anyhow::Result;

use crate::{
    size, spa,
    step::{self, step},
    workspace,
};

/// Unlike `run`, fails without a web app: what is handed out is whole.
pub(crate) fn dist() -> Result<()> {
    spa::build()?;
    step("binaries", || {
        step::run(&mut workspace::cargo(&[
            "build",
            "--release",
            "--locked",
            "--package",
            "coffer",
            "--package",
            "coffer-tui",
        ]))
    })?;
    let out = workspace::target().join("dist");
    fs::create_dir_all(&out)?;
    for name in ["coffer", "coffer-tui"] {
        let size = fs::copy(workspace::target().join("release").join(name), out.join(name))?;
        println!("{size:>10}  {name}");
    }
    size::check()
}
