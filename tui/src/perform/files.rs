//! Files out and in: an export appears under its name when it is whole, and not before; a file that comes in is read a piece at a time.

use std::{
    env, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use coffer_client::{Client, Failure, Upload, client::Pieces};
use common::{
    Call, Endpoint,
    endpoints::{backup, operations, records},
    id::OperationId,
    import::{
        Import, ImportQuery, OnError,
        preview::{HEAD, preview, unknown_headings},
    },
};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::{
    load::Ticket,
    many::{Checked, ExportTo, FileFault, Incoming},
    message::Message,
};

type Outcome<T> = Result<T, FileFault>;

impl From<Failure> for FileFault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for FileFault {
    fn from(error: io::Error) -> Self {
        Self::Local(error.to_string())
    }
}

/// Writes an export.
pub(super) async fn export(client: &Client, ticket: Ticket, to: ExportTo) -> Message {
    let file = to.file.clone();
    Message::Exported(ticket, file, write_export(client, to).await)
}

async fn write_export(client: &Client, to: ExportTo) -> Outcome<u64> {
    let file = at(&to.file);
    if !to.replaces && file.exists() {
        return Err(FileFault::IsThere);
    }
    let call = Call::<records::Export>::new((to.collection,), ()).query(to.query);
    write(client, &call, &file, to.replaces, OPEN).await
}

/// Writes a backup, which nobody else may read: it holds everything.
pub(super) async fn back_up(client: &Client, ticket: Ticket, file: PathBuf) -> Message {
    let call = Call::<backup::Get>::new((), ());
    let written = write(client, &call, &at(&file), false, CLOSED).await;
    Message::BackedUp(ticket, file, written)
}

/// Writes the rows that an import left out.
pub(super) async fn rejected(client: &Client, ticket: Ticket, operation: OperationId, file: PathBuf) -> Message {
    let call = Call::<operations::Rejected>::new((operation,), ());
    let written = write(client, &call, &at(&file), false, OPEN).await;
    Message::Exported(ticket, file, written)
}

/// Writes a text to a file that is not there yet.
pub(super) fn write_text(ticket: Ticket, file: PathBuf, text: &str) -> Message {
    let written = write_new(&file, text);
    Message::Exported(ticket, file, written)
}

fn write_new(file: &Path, text: &str) -> Outcome<u64> {
    match std::fs::File::create_new(at(file)) {
        Ok(mut out) => {
            out.write_all(text.as_bytes())?;
            Ok(text.len() as u64)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(FileFault::IsThere),
        Err(error) => Err(error.into()),
    }
}

/// Who may read a file: those who may read others.
const OPEN: u32 = 0o666;
/// Who may read a file: nobody else.
const CLOSED: u32 = 0o600;

/// Writes what is answered to a file; gives how long it is.
async fn write<E: Endpoint>(client: &Client, call: &Call<E>, file: &Path, replaces: bool, mode: u32) -> Outcome<u64> {
    let mut answer = client.open(call).await?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Somebody who leaves meanwhile leaves nothing behind: an unfinished file goes with this value.
    let mut out = part(folder, mode)?;
    let mut bytes = 0;
    while let Some(piece) = answer.next().await.map_err(Failure::Call)? {
        bytes += piece.len() as u64;
        out.write_all(&piece)?;
    }
    out.as_file().sync_all()?;
    if replaces {
        out.persist(file).map_err(|error| error.error)?;
        return Ok(bytes);
    }
    match out.persist_noclobber(file) {
        Ok(_) => Ok(bytes),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(FileFault::IsThere),
        Err(error) => Err(error.error.into()),
    }
}

/// A file that has no name to be found by yet, with these permissions at most.
#[cfg_attr(not(unix), allow(unused_variables))]
fn part(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    builder.prefix(".coffer-").suffix(".part").tempfile_in(folder)
}

/// A file as it was typed: `~/` is the home directory.
fn at(typed: &Path) -> PathBuf {
    match (typed.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => typed.to_owned(),
    }
}

/// Has the server read a file without writing what is in it.
pub(super) async fn check(client: &Client, ticket: Ticket, incoming: Incoming) -> Message {
    Message::Checked(ticket, Box::new(look(client, incoming).await))
}

async fn look(client: &Client, incoming: Incoming) -> Checked {
    let (bytes, head) =
        match Upload::open(&at(&incoming.file)).and_then(|upload| Ok((upload.bytes(), upload.head(HEAD)?))) {
            Ok(file) => file,
            Err(error) => {
                let preview = preview(&incoming.collection, &[], None, "", false);
                return Checked { bytes: 0, preview, unknown: Vec::new(), outcome: Err(error.into()) };
            }
        };
    // All faults are told, whatever becomes of their rows.
    let mut query = ImportQuery { dry_run: true, on_error: OnError::Skip, ..incoming.query.clone() };
    let mut outcome = send(client, &incoming, &query, false).await.map(|(import, _)| import);
    let unknown = match &outcome {
        Err(FileFault::Failed(Failure::Call(error))) => unknown_headings(error),
        _ => Vec::new(),
    };
    if !unknown.is_empty() {
        query.map.extend(unknown.iter().map(|heading| (heading.clone(), None)));
        incoming.sent.done.store(0, Ordering::Relaxed);
        outcome = send(client, &incoming, &query, false).await.map(|(import, _)| import);
    }
    let read = outcome.as_ref().ok().map(|import| &import.read);
    let encoding = read.and_then(|read| encoding_rs::Encoding::for_label(read.encoding.as_bytes()));
    let text = encoding.unwrap_or(encoding_rs::UTF_8).decode(&head).0;
    let preview = preview(&incoming.collection, &query.map, read, &text, bytes > u64::from(HEAD));
    Checked { bytes, preview, unknown, outcome }
}

/// Sends a file; says whether it was imported before.
pub(super) async fn import(client: &Client, ticket: Ticket, incoming: Incoming) -> Message {
    let mut sent = send(client, &incoming, &incoming.query, true).await;
    // Of one that was begun before it is told how it stands now.
    if let Ok((import, true)) = &mut sent
        && let Some(id) = import.operation.filter(|_| !import.state.is_over())
        && let Ok(operation) = client.send(&Call::<operations::Get>::new((id,), ())).await
        && let Some(now) = operation.import
    {
        *import = *now;
    }
    Message::Imported(ticket, incoming.collection.name, Box::new(sent))
}

async fn send(client: &Client, incoming: &Incoming, query: &ImportQuery, once: bool) -> Outcome<(Import, bool)> {
    let call = Call::<records::Import>::new((incoming.collection.name.clone(),), ()).query(query.clone());
    let (path, asked, after) = (at(&incoming.file), call.path_and_query(), incoming.after.clone());
    // A large file takes its time to be read.
    let opened = spawn_blocking(move || {
        let upload = Upload::open(&path)?;
        let key = if once { Some(upload.key(&asked, after.as_deref())?) } else { None };
        io::Result::Ok((upload, key))
    });
    let (upload, key) = opened.await.map_err(io::Error::other)??;
    let sent = Arc::clone(&incoming.sent);
    sent.of.store(upload.bytes(), Ordering::Relaxed);
    let pieces = upload.into_pieces(move |length| {
        sent.done.fetch_add(length, Ordering::Relaxed);
        if sent.is_given_up.load(Ordering::Relaxed) { Err(io::Error::other("given up")) } else { Ok(()) }
    })?;
    let mut answer: Pieces = client.upload(&call, key, pieces).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.whole().await.map_err(Failure::Call)?;
    let reply = call.read(status, &headers, &body).map_err(Failure::Call)?;
    Ok((reply.body, reply.is_again))
}
