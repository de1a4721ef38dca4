//! The computing itself, on the memory of the thread that does it. A hash's parameters say all of how it is computed: what it
//! costs, and by its id which pepper goes into it.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt},
};

use super::{
    pepper::Peppers,
    plain::Password,
    stored::{HashError, PasswordHash, SALT_BYTES},
};

/// The most memory that a stored hash may ask for, in KiB: 128 MiB. A planted hash must not be able to exhaust the machine.
pub(super) const MAX_MEMORY_KIB: u32 = 128 * 1024;
/// The most passes that a stored hash may ask for.
pub(super) const MAX_PASSES: u32 = 16;
/// The most lanes that a stored hash may ask for.
const MAX_LANES: u32 = 16;

/// A new hash. Its parameters name the pepper.
pub(super) fn hash(
    password: &Password,
    salt: &[u8; SALT_BYTES],
    params: &Params,
    peppers: &Peppers,
    memory: &mut Vec<Block>,
) -> Result<PasswordHash, HashError> {
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    fill(password, salt, params.clone(), peppers, &mut output, memory)?;
    phc(params, salt, &output)
}

/// The PHC string of an outcome.
pub(super) fn phc(
    params: &Params,
    salt: &[u8; SALT_BYTES],
    output: &[u8; Params::DEFAULT_OUTPUT_LEN],
) -> Result<PasswordHash, HashError> {
    let phc = Phc {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|_| HashError::Failed)?,
        salt: Some(Salt::new(salt).map_err(|_| HashError::Failed)?),
        hash: Some(Output::new(output).map_err(|_| HashError::Failed)?),
    };
    Ok(PasswordHash::from_stored(phc.to_string()))
}

/// Whether the password is the one that was hashed.
pub(super) fn compare(
    password: &Password,
    stored: &Phc,
    peppers: &Peppers,
    memory: &mut Vec<Block>,
) -> Result<bool, HashError> {
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Err(HashError::Failed) };
    let params = Params::try_from(stored).map_err(|_| HashError::Failed)?;
    let mut output = vec![0; expected.len()];
    fill(password, salt, params, peppers, &mut output, memory)?;
    let output = Output::new(&output).map_err(|_| HashError::Failed)?;
    // Compares in constant time.
    Ok(output == *expected)
}

fn fill(
    password: &Password,
    salt: &[u8],
    params: Params,
    peppers: &Peppers,
    output: &mut [u8],
    memory: &mut Vec<Block>,
) -> Result<(), HashError> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.try_reserve_exact(blocks - memory.len()).map_err(|_| HashError::Failed)?;
        memory.resize(blocks, Block::new());
    }
    let secret = peppers.secret(params.keyid()).ok_or(HashError::Failed)?;
    // An empty secret is the same as none.
    let argon2 =
        Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params).map_err(|_| HashError::Failed)?;
    argon2
        .hash_password_into_with_memory(password.text().as_bytes(), salt, output, &mut memory[..blocks])
        .map_err(|_| HashError::Failed)
}

/// Whether a hash is of the kind that is made here, whatever it costs.
pub(super) fn is_own(stored: &Phc) -> bool {
    stored.algorithm == Algorithm::Argon2id.ident()
        && stored.version == Some(Version::V0x13.into())
        && stored.salt.is_some()
        && stored.hash.is_some()
}

/// Whether a hash of this kind is within the ceiling.
pub(super) fn is_affordable(stored: &Phc) -> bool {
    Params::try_from(stored).is_ok_and(|params| within_ceiling(&params))
}

/// Whether a stored hash may be computed: Argon2id, within the ceiling, with a pepper that is there.
pub(super) fn is_usable(stored: &Phc, peppers: &Peppers) -> bool {
    is_own(stored)
        && is_affordable(stored)
        && Params::try_from(stored).is_ok_and(|params| peppers.secret(params.keyid()).is_some())
}

/// Whether the parameters are no dearer than is let in.
pub(super) fn within_ceiling(params: &Params) -> bool {
    params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES && params.p_cost() <= MAX_LANES
}
