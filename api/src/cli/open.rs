//! Opening the data directory: the store, the key ring and everything that stands on them.

use std::{
    fs,
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use auth::{
    keys::KeyRing,
    password::{Hasher, HasherSettings, Peppers},
    password_policy::{PasswordList, Policy},
    setup_code::SetupCode,
    token::TokenSettings,
};
use base::{
    Clock, Entropy, MemoryBudget,
    file::{self, Bounds},
};
use clap::Args;
use store::{OpenError, Options, Owner, Store};

use super::{database_options::DatabaseOptions, memory, progress, units::parse_min_length};
use crate::domain::{
    App, Parts,
    access_claims::AccessClaim,
    conversion::store_dir::{self, ConversionError},
    intake::Spool,
    quota::Quota,
    rotation::Rotation,
    sessions, setup, users,
};

/// A list of passwords: some are large.
const MAX_LIST: Bounds = Bounds { bytes: 1 << 30, patience: Duration::from_secs(10) };

/// Where everything is kept.
#[derive(Debug, Clone, Args)]
pub(super) struct DataDir {
    /// The directory that everything is kept in. It is made if it is not there.
    #[arg(long, env = "COFFER_DATA", default_value = "./data", value_name = "DIR")]
    pub data: PathBuf,
    /// Open the store even if it lacks changes that were acknowledged. They stay lost.
    #[arg(long)]
    pub accept_data_loss: bool,
    #[command(flatten)]
    pub database: DatabaseOptions,
}

/// What goes into passwords' hashes beside the password.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct PepperFiles {
    /// A file with 32 or more random bytes, kept apart from the data, that go into passwords' hashes. Given several times, the first is
    /// for new hashes and the others verify.
    #[arg(long = "pepper-file", env = "COFFER_PEPPER_FILE", value_name = "FILE", value_delimiter = ',')]
    pub files: Vec<PathBuf>,
}

/// Which new passwords are let in.
#[derive(Debug, Clone, Args)]
pub(super) struct PasswordRules {
    /// Characters that a new password must have: 8 to 64.
    #[arg(long, env = "COFFER_MIN_PASSWORD_LENGTH", default_value_t = auth::password_policy::DEFAULT_MIN_LENGTH, allow_hyphen_values = true, value_parser = parse_min_length, value_name = "N")]
    min_password_length: usize,
    /// A file with passwords that nobody may have, one on each line, beside those that Coffer knows. Ten million take 60 to 100 MB of memory.
    #[arg(long, env = "COFFER_PASSWORD_LIST", value_name = "FILE")]
    password_list: Option<PathBuf>,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_password_length: auth::password_policy::DEFAULT_MIN_LENGTH, password_list: None }
    }
}

impl PasswordRules {
    /// The policy, with the list read.
    fn policy(&self) -> Result<Policy> {
        let policy = Policy::with_min_length(self.min_password_length)?;
        let Some(file) = &self.password_list else { return Ok(policy) };
        let list = file::with(file, MAX_LIST, |file| PasswordList::read(BufReader::new(file.take(MAX_LIST.bytes))));
        Ok(policy.with_list(list.context("cannot read --password-list")?))
    }
}

/// What sign-in is like.
#[derive(Debug, Clone)]
pub(super) struct AuthSettings {
    /// Lifetimes of tokens.
    pub tokens: TokenSettings,
    /// How long a session lives at most.
    pub session_lifetime: Duration,
    /// What a use does to a refresh token.
    pub rotation: Rotation,
    /// What access tokens say of their user beside the id.
    pub access_claims: Vec<AccessClaim>,
    /// HS256 keys that the operator brings.
    pub key_files: Vec<PathBuf>,
    /// Which new passwords are let in.
    pub passwords: PasswordRules,
    /// Peppers that the operator brings.
    pub peppers: PepperFiles,
    /// Go on although passwords are hashed with a pepper that is not there: for what compares none.
    pub without_peppers: bool,
    /// Make the tables where the store is in a database that has none.
    pub creates_tables: bool,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            tokens: TokenSettings::default(),
            session_lifetime: sessions::LIFETIME,
            rotation: Rotation::default(),
            access_claims: Vec::new(),
            key_files: Vec::new(),
            passwords: PasswordRules::default(),
            peppers: PepperFiles::default(),
            without_peppers: false,
            creates_tables: false,
        }
    }
}

/// The application, and the set-up code if the first admin is still to be made.
pub(super) struct Opened {
    /// The application.
    pub app: App,
    /// To be shown to who started the server, once.
    pub setup_code: Option<String>,
}

impl DataDir {
    /// The directory, made if it is not there, and closed to others.
    pub(super) fn private(&self) -> Result<PathBuf> {
        use_dir(&self.data)?;
        Ok(self.data.clone())
    }

    /// An error where a database is named, for what is about files of this directory alone.
    pub(super) fn refuse_database(&self, instead: &str) -> Result<()> {
        if self.database.is_named() {
            bail!("--database-url is of no use here: {instead}");
        }
        Ok(())
    }

    /// What its store takes on the disk; 0 where that cannot be told.
    pub(super) fn disk_bytes(&self) -> u64 {
        store::disk_bytes(&self.data.join("store")).unwrap_or(0)
    }

    /// Opens the store by itself. One that is not there is not made.
    pub(super) async fn existing_store(&self) -> Result<Store> {
        if !self.database.is_named() {
            store_dir::tidy(&self.data.join("store"))?;
            self.expect("store")?;
        }
        self.store(&MemoryBudget::unlimited(), false).await
    }

    /// Fails where the directory does not have a part: a command that only looks would make it, and find nothing.
    pub(super) fn expect(&self, part: &str) -> Result<()> {
        if part == "store" && self.database.is_named() {
            // Opening it tells.
            return Ok(());
        }
        let path = self.data.join(part);
        // A store that was here and is gone is told by opening it.
        let is_gone = part == "store" && self.data.join(INITIALIZED).exists();
        if !is_gone && !path.try_exists().with_context(|| format!("cannot look into {}", self.data.display()))? {
            bail!("there is no {part} in {}; name the data directory with --data", self.data.display());
        }
        Ok(())
    }

    /// An error if there is no store, or none that was ever written to.
    pub(super) fn require_store(&self) -> Result<()> {
        if self.database.is_named() {
            return Ok(());
        }
        store_dir::tidy(&self.data.join("store"))?;
        if self.data.join("store/format").exists() {
            return Ok(());
        }
        Err(OpenError::Damaged {
            dir: self.data.join("store"),
            what: "it is not there, and --require-store says that it must be".to_owned(),
            advice: "mount its disk, or start once without --require-store to make a new store".to_owned(),
        }
        .into())
    }

    async fn store(&self, budget: &MemoryBudget, creates_tables: bool) -> Result<Store> {
        #[cfg(feature = "postgres")]
        if let Some(mut options) = self.database.options()? {
            options.create = creates_tables;
            options.queue_bytes = memory::queue_bytes(budget);
            options.accept_data_loss = self.accept_data_loss;
            // Beside what is this machine's alone.
            self.private()?;
            options.note = Some(self.data.join("database"));
            return Ok(Store::connect(options).await?);
        }
        debug_assert!(!creates_tables || !self.database.is_named());
        let mut options = Options::sled(self.data.join("store"));
        options.queue_bytes = memory::queue_bytes(budget);
        options.memory = budget.clone();
        if let store::EngineOptions::Sled(sled) = &mut options.engine {
            sled.cache_bytes = memory::cache_bytes(budget);
            sled.accept_data_loss = self.accept_data_loss;
            sled.initialized = Some(self.data.join(INITIALIZED));
        }
        let mut bar = None;
        let mut progress = |read, of| {
            let bar = bar.get_or_insert_with(|| progress::up_to(of, "Converting the store, once"));
            bar.set_position(read);
        };
        let store = store_dir::open(options, &mut progress).await;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        store.map_err(|error| match error {
            // As every other opening says it.
            ConversionError::Open(error) => error.into(),
            error => error.into(),
        })
    }

    /// Opens the store, checks keys and peppers and puts the application together, which may use as much memory as `budget` has.
    pub(super) async fn open(&self, settings: AuthSettings, quota: Quota, budget: &MemoryBudget) -> Result<Opened> {
        self.private()?;
        let store = self.store(budget, settings.creates_tables).await?;
        memory::tell(budget);
        let (clock, entropy) = (Clock::system(), Entropy::system());
        let ring = if settings.key_files.is_empty() {
            // In a directory that is a group's they are their owner's, and not root's who passes by.
            let keys = self.data.join("keys");
            let owner = Owner::of(&keys);
            let ring = KeyRing::open(&self.data, &clock, &entropy)?;
            owner.keep(&keys)?;
            ring
        } else {
            KeyRing::from_key_files(&settings.key_files, &clock)?
        };
        let peppers = Peppers::from_files(&settings.peppers.files, &self.data)?;
        if !settings.without_peppers {
            refuse_missing(&users::peppers::count_uses(&store, &peppers).await?)?;
        }
        // On a full disk they are found as before.
        if let Err(error) = users::refold(&store).await {
            tracing::warn!(%error, "names of users could not be moved to where they are looked for");
        }
        let (setup, setup_code) = if setup::required(&store).await? {
            let (setup, code) = SetupCode::new(&entropy, &clock);
            if self.database.is_named() {
                setup::share(&store, &code, &clock).await?;
            }
            (setup, Some(code))
        } else {
            (SetupCode::none(), None)
        };
        let hasher = Hasher::new(memory::hasher(hasher_settings(), budget), peppers, entropy.clone())?;
        let mut parts = Parts::new(store, clock, entropy, &ring, settings.tokens, hasher)?;
        parts.core.quota = quota;
        parts.core.spool = Arc::new(Spool::in_dir(self.data.join("spool")));
        parts.core.memory = budget.clone();
        parts.auth.policy = settings.passwords.policy()?;
        parts.auth.rotation = settings.rotation;
        parts.auth.keys.are_given = !settings.key_files.is_empty();
        parts.auth.access_claims = settings.access_claims;
        parts.auth.session_lifetime = settings.session_lifetime;
        parts.auth.setup_code = setup;
        Ok(Opened { app: App::new(parts), setup_code })
    }
}

/// What hashing costs. Only a debug build for the end-to-end tests can be asked for less than the floor.
fn hasher_settings() -> HasherSettings {
    #[cfg(all(feature = "e2e", debug_assertions))]
    if std::env::var_os("E2E_CHEAP_PASSWORDS").is_some() {
        return HasherSettings { cost: auth::password::Cost::LEAST, ..HasherSettings::default() };
    }
    HasherSettings::default()
}

/// A server without a pepper that it needs would tell these users that their passwords are wrong.
fn refuse_missing(found: &users::peppers::Uses) -> Result<()> {
    if let Some(first) = &found.first_missing {
        bail!(
            "{} cannot sign in ({first} is the first): the pepper that their passwords were hashed with was not given; name its \
             file with --pepper-file, after that of the new pepper if there is one; or, if it is lost, give each of them a new \
             password with `coffer user password`",
            common::text::count(found.missing, "user")
        );
    }
    if found.outdated > 0 {
        tracing::info!(
            users = found.outdated,
            "these users' passwords are hashed with the new pepper when they sign in next"
        );
    }
    Ok(())
}

/// The file in the data directory that says that there is a store.
pub(super) const INITIALIZED: &str = "initialized";

/// Makes a data directory that only its owner can enter. One that belongs to somebody else, who lets this process use it, stays as it
/// is.
pub(super) fn use_dir(dir: &Path) -> Result<()> {
    let what = || format!("cannot use the data directory {}", dir.display());
    match fs::symlink_metadata(dir) {
        Ok(metadata) if metadata.is_symlink() && !dir.exists() => {
            let target = fs::read_link(dir).unwrap_or_default();
            let told = anyhow!("it is a link to {}, which is not there; is its disk mounted?", target.display());
            return Err(told.context(what()));
        }
        Ok(_) if dir.exists() && !dir.is_dir() => {
            return Err(anyhow!("it is a file; name a directory with --data").context(what()));
        }
        _ => {}
    }
    let owner = Owner::of(dir);
    make_dir(dir).with_context(what)?;
    owner.keep_itself(dir).with_context(what)?;
    let is_closed = store::close_dir(dir).map_err(|error| not_closed(dir, error)).with_context(what)?;
    if !is_closed {
        let owner = store::owner_of(dir);
        tracing::warn!(dir = %dir.display(), owner, "others on this machine can look into the data directory; its owner should close it to them");
    }
    // A volume that is shared with a group by whoever mounts it opens the keys to the group each time.
    let keys = dir.join("keys");
    if let Some(path) = store::first_unusable(&keys) {
        let (owner, user) = (store::owner_of(&path), store::this_user());
        let (path, keys) = (path.display(), keys.display());
        let told = anyhow!(
            "{path} belongs to {owner}, and this process runs as {user}, who may not use it; give the files to {user} with `sudo chown -R {user} {keys}`"
        );
        return Err(told.context(what()));
    }
    if keys.exists() && !store::is_own(dir) {
        store::make_private(&keys).with_context(what)?;
    }
    Ok(())
}

/// Why a data directory could not be closed to others: most often it is somebody else's.
fn not_closed(dir: &Path, error: std::io::Error) -> anyhow::Error {
    if store::is_own(dir) || error.kind() != std::io::ErrorKind::PermissionDenied {
        return error.into();
    }
    let (owner, user, dir) = (store::owner_of(dir), store::this_user(), dir.display());
    anyhow!(
        "it belongs to {owner}, and this process runs as {user}, who may not use it; run this as {owner}, or give the directory to {user} with \
         `sudo chown -R {user} {dir}`"
    )
}

/// Makes a directory, with those above it, that only its owner can enter; durably, or a power cut could take it away with all that is in it.
fn make_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let new: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists()).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    for made in new {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// Makes a directory that only its owner can enter.
pub(super) fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    make_dir(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

/// A runtime for commands that do one thing and end.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
