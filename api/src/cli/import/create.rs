//! A collection made from a file before its rows go in. It goes again where nothing of the file came in, so that the next try begins as this one did.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, Error, Result, anyhow, bail};
use base::MemoryBudget;
use common::{
    Call,
    change::Subject,
    collection::{Collection, Definition, Ids},
    endpoints::collections,
    field::{Field, FieldType, Unique},
    import::{Guess, ImportQuery},
    reader::Body as _,
    text::single_line,
    undo::{DeleteQuery, Deletion},
};
use serde_json::{Value, json};

use super::Import;
use crate::{
    cli::server::Session,
    domain::{
        Error as Refused,
        intake::{Told, Unreadable, guess},
    },
};

/// Fields, by the headings that they are made from.
type Columns = Vec<(String, Field)>;

/// The collection that was made for a file.
pub(super) struct Made(Collection);

impl Import {
    /// Makes the collection that a file looks like, and has `query` say which column is which of its fields.
    pub(super) async fn define(&self, session: &Session, file: &Path, query: &mut ImportQuery) -> Result<Made> {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut held = MemoryBudget::unlimited().nothing();
        let guessed =
            guess::guess(opened, query, &Told::default(), &mut held).map_err(|error| unreadable(file, &error))?;
        let (columns, ids) = self.keyed(guessed)?;
        let mut out = io::stdout();
        writeln!(out, "{} would have these fields:", self.to)?;
        for (heading, field) in &columns {
            writeln!(out, "  {}  from \"{}\"", briefly(field)?, single_line(heading))?;
        }
        if self.dry_run {
            bail!("nothing was made; leave --dry-run out to make the collection");
        }
        if !self.yes {
            if !io::stdin().is_terminal() {
                bail!("say --yes to make the collection so");
            }
            write!(out, "Make the collection so? [y/N] ")?;
            out.flush()?;
            let mut answer = String::new();
            io::stdin().read_line(&mut answer)?;
            if !matches!(answer.trim(), "y" | "Y" | "yes") {
                bail!("nothing was made; define the collection yourself, and import without --create");
            }
        }
        let fields: Vec<&Field> = columns.iter().map(|(_, field)| field).collect();
        let definition = Definition::from_json(match ids {
            Some(ids) => json!({"name": self.to, "fields": fields, "ids": ids}),
            None => json!({"name": self.to, "fields": fields}),
        });
        let definition = definition.map_err(|errors| anyhow!("no collection can be made so: {}", errors.in_words()))?;
        let made = session.call(&Call::<collections::Create>::new((), definition)).await;
        let made = made.context("the collection was not made")?;
        for (heading, field) in columns {
            if !query.map.iter().any(|(known, _)| *known == heading) {
                query.map.push((heading, Some(field.name.to_string())));
            }
        }
        Ok(Made(made))
    }

    /// The fields of the columns, by their headings, of which one is the key: it is unique. Where that is the id, its column is no field.
    fn keyed(&self, guessed: Guess) -> Result<(Columns, Option<Ids>)> {
        let told = guessed.read.columns.into_iter().filter(|column| column.member.is_some());
        let mut columns: Columns = told.map(|column| column.heading).zip(guessed.fields).collect();
        let Some(key) = self.key.as_deref() else { return Ok((columns, None)) };
        if key == "id" {
            let at = columns.iter().position(|(heading, _)| heading.eq_ignore_ascii_case("id"));
            let at = at.context("--key id needs a column with the heading id")?;
            let (_, field) = columns.remove(at);
            let is_number = matches!(field.kind, FieldType::Integer { .. });
            return Ok((columns, is_number.then_some(Ids::Integer)));
        }
        match columns.iter_mut().find(|(_, field)| field.name.as_str() == key) {
            Some((_, field)) => field.unique = Unique::Exact,
            None => bail!("--key names the field {key}, which no column becomes; --map takes a heading for it"),
        }
        Ok((columns, None))
    }
}

impl Made {
    /// Names it, and none that was called the same before.
    pub(super) fn id(&self) -> String {
        self.0.id.to_string()
    }

    /// Deletes the collection again where nothing is in it, since this came between; gives the same with what became of it.
    pub(super) async fn take_back(&self, session: &Session, why: Error) -> Error {
        let Self(Collection { name, revision, .. }) = self;
        let asked = Call::<collections::DryDelete>::new((name.clone(),), ()).query(DeleteQuery { dry_run: true });
        let has_none = |would: Deletion| would.counts.iter().all(|counted| counted.subject != Subject::Record);
        if !session.call(&asked).await.is_ok_and(has_none) {
            return why;
        }
        let deleted = Call::<collections::Delete>::new((name.clone(),), ()).if_match(Some(*revision));
        match session.call(&deleted).await {
            Ok(_) => anyhow!("{why:#}; the collection was not kept"),
            Err(_) => anyhow!("{why:#}; the collection is there, and empty"),
        }
    }
}

/// A field's definition, without what is as usual.
fn briefly(field: &Field) -> Result<Value> {
    let mut field = serde_json::to_value(field)?;
    if let Value::Object(members) = &mut field {
        members.retain(|_, value| {
            !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && *value != json!([])
        });
    }
    Ok(field)
}

fn unreadable(file: &Path, error: &Unreadable) -> Error {
    let told = match error {
        Unreadable::File(errors) => errors.in_words(),
        Unreadable::Io(error) => error.to_string(),
        Unreadable::TooLarge(gib) => Refused::FileTooLarge(*gib).to_string(),
        Unreadable::NoMemory => Refused::NoMemory.to_string(),
    };
    anyhow!("{} cannot be read: {told}", file.display())
}
