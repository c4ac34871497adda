//! Builds the helper, `playbook-remote`, and packs it for `src/connection/payload.rs` to embed: so `playbook` stays
//! one file, installed by one `cargo install`.
//!
//! It is a build of its own, because the helper is linked statically and made small, whatever `playbook` is; its
//! target directory is its own as well, beside the ones of the profiles.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// What the helper is made of.
const SOURCES: &[&str] = &["Cargo.lock", "modules/api", "modules/host", "modules/remote"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let packed = out.join("playbook-remote.gz");
    let target = env::var("TARGET")?;
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-env-changed=PLAYBOOK_NO_HELPER");
    // Analysis of the code does not need the helper.
    let analysis_only = env::var_os("DOCS_RS").is_some()
        || env::var("RUSTC_WORKSPACE_WRAPPER").is_ok_and(|wrapper| wrapper.contains("clippy"));
    let hash = if analysis_only || env::var_os("PLAYBOOK_NO_HELPER").is_some() {
        fs::write(&packed, [])?;
        String::new()
    } else {
        let helper = fs::read(build(&out, &target)?)?;
        let level = if is_release()? { flate2::Compression::best() } else { flate2::Compression::fast() };
        let mut encoder = GzEncoder::new(fs::File::create(&packed)?, level);
        std::io::Write::write_all(&mut encoder, &helper)?;
        encoder.finish()?;
        Sha256::digest(&helper).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    println!("cargo::rustc-env=PLAYBOOK_HELPER_HASH={hash}");
    println!("cargo::rustc-env=PLAYBOOK_HELPER_TARGET={target}");
    Ok(())
}

/// Builds the helper for `target`, with the musl C library where that is installed.
fn build(out: &Path, target: &str) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let release = is_release()?;
    let target = match target.strip_suffix("-linux-gnu").map(|start| format!("{start}-linux-musl")) {
        Some(musl) if is_installed(&musl) => musl,
        _ => target.to_owned(),
    };
    // OUT_DIR is TARGET_DIR/[TRIPLE/]PROFILE/build/playbook-…/out; every PROFILE shares one directory here.
    let directory = out.ancestors().nth(4).unwrap_or(out).join("helper");
    let mut cargo = Command::new(env::var("CARGO")?);
    for (name, _) in env::vars_os() {
        // What cargo tells a build script is not meant for another cargo.
        let name = name.to_string_lossy();
        let told = ["CARGO_PKG_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_BUILD_", "CARGO_PROFILE_", "DEP_"];
        let also =
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTC"];
        let also =
            [&also[..], &["RUSTDOC", "TARGET", "HOST", "OUT_DIR", "PROFILE", "OPT_LEVEL", "DEBUG"]].concat();
        if told.iter().any(|start| name.starts_with(start)) || also.contains(&&*name) {
            cargo.env_remove(&*name);
        }
    }
    cargo
        .args(["build", "--quiet", "--package", "playbook-remote", "--bin", "playbook-remote"])
        .args(["--target", &target, "--target-dir"])
        .arg(&directory)
        .arg("--manifest-path")
        .arg(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("Cargo.toml"))
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    if release {
        cargo.arg("--release").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z");
        // What is fast in the command is small in the helper, which has to go to every host.
        let fast = ["playbook-api", "playbook-host", "indexmap", "hashbrown", "serde_json", "fancy-regex"];
        for small in fast.into_iter().chain(["regex-automata"]) {
            cargo.args(["--config", &format!("profile.release.package.{small}.opt-level=\"z\"")]);
        }
        // Files are summed up as they arrive.
        for sum in ["md-5", "sha1", "sha2"] {
            cargo.args(["--config", &format!("profile.release.package.{sum}.opt-level=3")]);
        }
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_STRIP", "true");
    } else {
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_DEV_STRIP", "true");
    }
    if !cargo.status()?.success() {
        return Err("building the helper playbook-remote failed; PLAYBOOK_NO_HELPER=1 leaves it out".into());
    }
    Ok(directory.join(target).join(if release { "release" } else { "debug" }).join("playbook-remote"))
}

fn is_release() -> Result<bool, env::VarError> {
    Ok(env::var("PROFILE")? == "release")
}

fn is_installed(target: &str) -> bool {
    let print = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--print", "target-libdir", "--target", target])
        .output();
    print.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}
