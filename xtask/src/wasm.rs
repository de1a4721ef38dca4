//! The wasm32-unknown-unknown target: the standard library for it, and the compiler that matches.
//!
//! Ways, in this order: what is there already; `rustup target add`; building std from the `rust-src` of the very
//! same compiler; Debian's `rustc-web` with its own source. The last two put std into a private sysroot under
//! `target/tools`, so that machines which cannot reach rustup's server build the web app too.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    apt,
    step::{self, step},
    workspace::{self, which},
};

const TRIPLE: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The compiler and standard library that the web app is built with.
pub(crate) enum WasmTarget {
    /// The user's toolchain has the target.
    Installed,
    /// The user's compiler, std in a private sysroot.
    BuiltStd(PathBuf),
    /// Debian's compiler, std in a private sysroot.
    Debian(PathBuf),
}

impl WasmTarget {
    /// Makes a cargo, or what calls cargo, build for wasm with this.
    pub(crate) fn apply(&self, command: &mut Command) {
        self.apply_with(command, &[]);
    }

    /// The same, with more flags of the compiler.
    pub(crate) fn apply_with(&self, command: &mut Command, flags: &[&str]) {
        // Flags meant for the host (a CPU, a linker) must not reach the wasm build.
        command.env_remove("RUSTFLAGS");
        let mut flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        // Messages of panics name files of dependencies, wherever this machine keeps them.
        flags.push(format!("--remap-path-prefix={}=/cargo", workspace::cargo_home().display()));
        let sysroot = match self {
            Self::Installed => None,
            Self::BuiltStd(sysroot) => Some(sysroot),
            Self::Debian(sysroot) => {
                command.env("RUSTC", DEBIAN_RUSTC).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
                Some(sysroot)
            }
        };
        flags.extend(sysroot.into_iter().flat_map(|sysroot| ["--sysroot".to_owned(), sysroot.display().to_string()]));
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    }

    /// Whether std can be built from the source that belongs to the user's compiler.
    pub(crate) fn has_std_source(&self) -> bool {
        !matches!(self, Self::Debian(_)) && std_source().is_some()
    }
}

/// Finds the target or sets it up.
pub(crate) fn target() -> Result<WasmTarget> {
    if let Some(found) = find() {
        return Ok(found);
    }
    for way in [rustup, rust_src, debian] {
        if let Err(error) = way() {
            println!("xtask: {error:#}");
        }
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    bail!(
        "the {TRIPLE} target is missing; `rustup target add {TRIPLE}`, or `rustup component add rust-src`, \
         or Debian's rustc-web cargo-web rust-web-src lld-19 would bring it"
    );
}

/// What an earlier set-up, ours or the user's own, left here.
fn find() -> Option<WasmTarget> {
    let libdir = step::answer(Command::new(rustc()).args(["--print", "target-libdir", "--target", TRIPLE]))?;
    if has_std(Path::new(&libdir)) {
        return Some(WasmTarget::Installed);
    }
    if let Some(sysroot) = built_sysroot(&rustc()) {
        return Some(WasmTarget::BuiltStd(sysroot));
    }
    built_sysroot(DEBIAN_RUSTC).map(WasmTarget::Debian)
}

fn rustc() -> String {
    std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())
}

fn has_std(libdir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libdir) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("libstd-")
    })
}

/// The private sysroot for exactly this compiler, whether or not it is there yet.
fn sysroot_of(rustc: &str) -> Option<PathBuf> {
    let version = step::answer(Command::new(rustc).arg("--version"))?;
    let name: String = version.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    Some(workspace::tools().join("sysroot").join(name))
}

fn built_sysroot(rustc: &str) -> Option<PathBuf> {
    sysroot_of(rustc).filter(|sysroot| sysroot.is_dir())
}

/// The ordinary way.
fn rustup() -> Result<()> {
    let Some(rustup) = which("rustup") else { bail!("no rustup to add the wasm target with") };
    // Without a network the connection is refused or, behind some firewalls, just never answered.
    step(&format!("wasm target, by rustup target add {TRIPLE}"), || {
        step::run_within(
            Duration::from_mins(2),
            Command::new(rustup)
                .args(["target", "add", TRIPLE])
                .env("RUSTUP_MAX_RETRIES", "1")
                .env("RUST_BACKTRACE", "0"),
        )
    })
}

/// The source of the standard library of the user's compiler, if it is installed.
pub(crate) fn std_source() -> Option<PathBuf> {
    let sysroot = step::answer(Command::new(rustc()).args(["--print", "sysroot"]))?;
    let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    source.join("std").is_dir().then_some(source)
}

/// The user's compiler, if the source of its standard library is installed.
fn rust_src() -> Result<()> {
    if std_source().is_none() {
        bail!("no rust-src here to build std for wasm from");
    }
    step("wasm target, by building std from rust-src", || build_std(&rustc(), workspace::cargo(&[])))
}

/// Debian's compiler for the web, which comes with its source.
fn debian() -> Result<()> {
    let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
    if !(Path::new(DEBIAN_RUSTC).exists() && source.is_dir() && which("wasm-ld-19").is_some()) {
        step("wasm target, by Debian's rustc-web", || {
            apt::install(&["rustc-web", "cargo-web", "rust-web-src", "lld-19"], "builds of the web app")
        })?;
    }
    step("wasm target, by building std with Debian's compiler", || {
        let mut cargo = Command::new("/usr/bin/cargo");
        cargo.env("PATH", "/usr/bin:/bin").env_remove("RUSTUP_TOOLCHAIN");
        build_std(DEBIAN_RUSTC, cargo)
    })
}

/// Builds std for wasm in an empty scratch crate and keeps its libraries as a private sysroot.
fn build_std(rustc: &str, mut cargo: Command) -> Result<()> {
    let sysroot = sysroot_of(rustc).context("rustc does not answer")?;
    let scratch = workspace::tools().join("build/std");
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "#![no_std]\n")?;
    fs::write(
        scratch.join("Cargo.toml"),
        "[package]\nname = \"scratch\"\nedition = \"2024\"\n\n[workspace]\n\n[profile.release]\npanic = \"abort\"\n",
    )?;
    // Libraries of another compiler, built here earlier, must not get into this sysroot.
    let built = scratch.join("target");
    if built.exists() {
        fs::remove_dir_all(&built)?;
    }
    cargo
        .args([
            "build",
            "--release",
            "--target",
            TRIPLE,
            "-Z",
            "build-std=std,panic_abort,panic_unwind,test,proc_macro",
        ])
        .current_dir(&scratch)
        .env("CARGO_TARGET_DIR", &built)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", rustc)
        .env_remove("RUSTFLAGS")
        // As in rustup's own std; without it the web app's link-time optimisation has nothing to work on.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes");
    step::run(&mut cargo)?;

    // Copied aside and renamed last: a sysroot that is there is whole.
    let aside = sysroot.with_extension("partial");
    let libdir = aside.join("lib/rustlib").join(TRIPLE).join("lib");
    fs::create_dir_all(&libdir)?;
    for entry in fs::read_dir(built.join(TRIPLE).join("release/deps"))? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default();
        let is_ours = name.to_string_lossy().starts_with("libscratch-");
        if file.extension().is_some_and(|extension| extension == "rlib") && !is_ours {
            fs::copy(&file, libdir.join(name))?;
        }
    }
    fs::rename(&aside, &sysroot)?;
    // Crates compiled against an earlier std of the same name would not link with this one.
    let stale = workspace::web_target().join(TRIPLE);
    if stale.exists() {
        fs::remove_dir_all(stale)?;
    }
    Ok(())
}
