//! `cargo xtask drf-clients`: clients that were written for Django REST Framework, unchanged and pinned, against Coffer: react-admin's data
//! provider, RTK Query, and a tutorial's Postman collection by newman. The ordinary tests send the same requests without them.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    step::{run, step},
    workspace::{self, which},
};

/// Installs the clients and runs the tests that are about them.
pub(crate) fn drf_clients() -> Result<()> {
    let _one_at_a_time = workspace::lock()?;
    if which("npm").is_none() {
        bail!("the clients are npm packages: install Node.js 20 or newer, with npm");
    }
    let installed = workspace::tools().join("drf-clients");
    step("the clients, by npm", || {
        std::fs::create_dir_all(&installed)?;
        for file in ["package.json", "package-lock.json", "provider.cjs", "rtk.mjs", "tutorial.postman_collection.json"]
        {
            std::fs::copy(workspace::root().join("xtask/drf-clients").join(file), installed.join(file))?;
        }
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&installed))
    })?;
    step("the clients against Coffer", || {
        let mut tests =
            workspace::cargo(&["test", "--workspace", "--features", "e2e", "--test", "it", "--", "--nocapture"]);
        run(tests.arg("drf_clients::").env("E2E_DRF_CLIENTS", &installed))
    })
}
