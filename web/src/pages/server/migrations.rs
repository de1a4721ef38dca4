//! Migrations: which are applied, what taking one back or applying one from a file would do, and doing it.

use common::{
    Call, CallError,
    endpoints::{migrations, operations},
    id::OperationId,
    migration::{
        ApplyQuery, Listed, Migration, MigrationAnswer, MigrationId, MigrationPlan, RevertMigrationQuery, listed,
        read_file, summary,
    },
    table::short_moment,
    text,
};
use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{File, HtmlInputElement};
use yew::prelude::*;

use super::tabs;
use crate::{
    client::Client,
    hooks::{use_client, use_load, use_toasts},
    route::ServerPage,
    toast::ToastEvent,
    ui::{
        page::PageHead,
        state::{failure, loading},
    },
    words::migrations as words,
};

/// How long it takes until it is looked again how far one is, in milliseconds.
const LOOK: u32 = 1000;

/// What is asked of the server.
#[derive(Clone, PartialEq)]
enum Act {
    /// Apply it, or tell what that would do.
    Apply(Box<Migration>),
    /// Take it back, or tell what that would do.
    Revert(MigrationId),
    /// Stop what is under way.
    Stop(OperationId),
}

/// What was told, and what would be done then.
#[derive(Clone, PartialEq)]
struct Planned {
    act: Act,
    plan: MigrationPlan,
}

/// The page.
#[component]
pub(super) fn MigrationsPage() -> Html {
    let (client, toasts) = (use_client(), use_toasts());
    let planned = use_state(|| None::<Planned>);
    let busy = use_state(|| false);
    let (known, again) = use_load((), |client, ()| async move {
        let rows = listed(client.send(Call::<migrations::List>::new((), ())).await?.body.results, None);
        let under_way = match rows.iter().find_map(Listed::under_way) {
            Some(id) => client.send(Call::<operations::Get>::new((id,), ())).await.ok().map(|reply| reply.body),
            None => None,
        };
        Ok((rows, under_way))
    });
    let is_under_way = known.value.as_ref().is_some_and(|known| known.1.is_some());
    use_effect_with((is_under_way, known.run), {
        let again = again.clone();
        move |(is_under_way, _)| {
            let look = is_under_way.then(|| Timeout::new(LOOK, move || again.emit(())));
            move || drop(look)
        }
    });
    let onact = {
        let (planned, busy, again) = (planned.clone(), busy.clone(), again.clone());
        Callback::from(move |(act, dry_run): (Act, bool)| {
            let (client, toasts) = (client.clone(), toasts.clone());
            let (planned, busy, again) = (planned.clone(), busy.clone(), again.clone());
            busy.set(true);
            spawn_local(async move {
                match ask(&client, act.clone(), dry_run).await {
                    Ok(Some(MigrationAnswer::WouldBe(plan))) => planned.set(Some(Planned { act, plan: *plan })),
                    Ok(answer) => {
                        planned.set(None);
                        toasts.emit(ToastEvent::Said(done(&act, answer.as_ref())));
                        again.emit(());
                    }
                    Err(error) => toasts.emit(ToastEvent::Failed(error.to_string())),
                }
                busy.set(false);
            });
        })
    };
    let onleave = {
        let planned = planned.clone();
        Callback::from(move |()| planned.set(None))
    };
    let body = match (known.value.as_deref(), known.failure()) {
        (_, Some(error)) => failure(error, &again),
        (None, None) => loading(),
        (Some((rows, under_way)), None) => html! {
            <div class="panels-stack">
                if let Some(planned) = &*planned {
                    { plan(planned, *busy, &onact, &onleave) }
                }
                if let Some(operation) = under_way {
                    <p class="notice" role="status">{ words::progress(operation.done, operation.of) }</p>
                }
                { list(rows, *busy, &onact) }
                <FromFile onact={onact.clone()} busy={*busy} />
            </div>
        },
    };
    html! {
        <div class="page page-board">
            <PageHead title={words::TITLE} description={words::LEAD} />
            { tabs(ServerPage::Migrations) }
            { body }
        </div>
    }
}

async fn ask(client: &Client, act: Act, dry_run: bool) -> Result<Option<MigrationAnswer>, CallError> {
    Ok(match act {
        Act::Apply(migration) => {
            let query = ApplyQuery { dry_run, ..ApplyQuery::default() };
            Some(client.send(Call::<migrations::Apply>::new((), *migration).query(query)).await?.body)
        }
        Act::Revert(id) => {
            let query = RevertMigrationQuery { dry_run, ..RevertMigrationQuery::default() };
            Some(client.send(Call::<migrations::Revert>::new((id.collection, id.name), ()).query(query)).await?.body)
        }
        Act::Stop(id) => {
            client.send(Call::<operations::Stop>::new((id,), ())).await?;
            None
        }
    })
}

fn done(act: &Act, answer: Option<&MigrationAnswer>) -> String {
    match (act, answer) {
        (Act::Apply(migration), Some(MigrationAnswer::Begun(_))) => words::begun(&migration.id()),
        (Act::Revert(id), Some(MigrationAnswer::Begun(_))) => words::begun(id),
        (Act::Apply(migration), _) => words::applied(&migration.id()),
        (Act::Revert(id), _) => words::reverted(id),
        (Act::Stop(_), _) => words::STOPPING.to_owned(),
    }
}

/// What would be done, and the way on.
fn plan(planned: &Planned, is_busy: bool, onact: &Callback<(Act, bool)>, onleave: &Callback<()>) -> Html {
    let (lead, button) = match planned.act {
        Act::Revert(_) => (words::taking_back(&planned.plan.migration), words::TAKE_BACK),
        _ => (words::applying(&planned.plan.migration), words::APPLY),
    };
    let steps = planned.plan.steps.iter().map(|step| {
        html! {
            <li>
                <bdi>{ text::single_line(&step.step).into_owned() }</bdi>
                { for step.told().iter().map(|line| html! { <p class="hint" dir="auto">{ text::single_line(line).into_owned() }</p> }) }
            </li>
        }
    });
    let (onact, onleave, act) = (onact.clone(), onleave.reform(|_: MouseEvent| ()), planned.act.clone());
    html! {
        <div class="notice migration-plan" role="status">
            <p class="notice-title">{ lead }</p>
            <ul>{ for steps }</ul>
            <div class="notice-actions">
                <button type="button" class="button button-primary" disabled={is_busy} onclick={move |_: MouseEvent| onact.emit((act.clone(), false))}>{ button }</button>
                <button type="button" class="button" onclick={onleave}>{ words::LEAVE }</button>
            </div>
        </div>
    }
}

fn list(rows: &[Listed], is_busy: bool, onact: &Callback<(Act, bool)>) -> Html {
    let row = |one: &Listed| {
        let onact = onact.clone();
        let (label, act, is_asked) = match one.under_way() {
            Some(operation) => (words::STOP, Act::Stop(operation), false),
            None => (words::TAKE_BACK, Act::Revert(one.id()), true),
        };
        let at = one.known.as_ref().map(|known| known.at.clone()).unwrap_or_default();
        html! {
            <tr key={one.id().to_string()}>
                <th scope="row"><code>{ one.id().to_string() }</code>{ for one.notes.iter().map(|note| html! { <span class="tag">{ *note }</span> }) }</th>
                <td>{ for one.migration.steps.iter().map(|step| html! { <div><bdi>{ text::single_line(&summary(step)).into_owned() }</bdi></div> }) }</td>
                <td><time datetime={at.clone()}>{ short_moment(&at) }</time></td>
                <td class="row-acts">
                    <button type="button" class="button button-small" disabled={is_busy} aria-label={words::of(label, &one.id())} onclick={move |_: MouseEvent| onact.emit((act.clone(), is_asked))}>{ label }</button>
                </td>
            </tr>
        }
    };
    html! {
        <section class="panel" aria-labelledby="panel-migrations">
            <header class="panel-head"><h2 id="panel-migrations">{ words::APPLIED }</h2></header>
            if rows.is_empty() {
                <p class="hint">{ words::NONE }</p>
            } else {
                <div class="panel-scroll" tabindex="0" role="group" aria-label={words::APPLIED}>
                    <table class="routes facts-table">
                        <thead><tr>
                            <th scope="col">{ words::MIGRATION }</th><th scope="col">{ words::STEPS }</th>
                            <th scope="col">{ words::AT }</th><th scope="col"><span class="hidden">{ words::TAKE_BACK }</span></th>
                        </tr></thead>
                        <tbody>{ for rows.iter().map(row) }</tbody>
                    </table>
                </div>
            }
        </section>
    }
}

/// Props of [`FromFile`].
#[derive(Properties, PartialEq)]
struct FromFileProps {
    onact: Callback<(Act, bool)>,
    busy: bool,
}

/// A file that was chosen.
#[derive(Clone, PartialEq, Default)]
struct Chosen {
    name: String,
    text: String,
    /// The folder that it lies in, which the browser does not tell.
    folder: String,
}

impl Chosen {
    /// A file, with the folder that it most likely lies in: that of the collection that its first step is about.
    fn new(name: String, text: String) -> Self {
        let mut chosen = Self { name, text, folder: "x".to_owned() };
        let first = chosen.read().ok().and_then(|migration| Some(summary(migration.steps.first()?)));
        let named = first.and_then(|said| said.split(':').next()?.rsplit(' ').next().map(str::to_owned));
        chosen.folder = named.filter(|name| !name.contains('/')).unwrap_or_default();
        chosen
    }

    fn read(&self) -> Result<Migration, String> {
        let (stem, ending) = self.name.rsplit_once('.').unwrap_or((&self.name, ""));
        read_file(&self.text, ending, &format!("{}/{stem}", self.folder).parse()?)
    }
}

/// A file is chosen, and what it would do is asked.
#[component]
fn FromFile(props: &FromFileProps) -> Html {
    let chosen = use_state(|| None::<Chosen>);
    let error = use_state(|| None::<String>);
    let onfile = {
        let (chosen, error) = (chosen.clone(), error.clone());
        move |event: Event| {
            let Some(file) = event.target_unchecked_into::<HtmlInputElement>().files().and_then(|files| files.get(0))
            else {
                return;
            };
            let (chosen, error) = (chosen.clone(), error.clone());
            spawn_local(async move {
                let text = read(&file).await;
                error.set(text.is_none().then(|| words::UNREADABLE.to_owned()));
                chosen.set(text.map(|text| Chosen::new(file.name(), text)));
            });
        }
    };
    let onfolder = {
        let chosen = chosen.clone();
        move |event: InputEvent| {
            let folder = event.target_unchecked_into::<HtmlInputElement>().value();
            chosen.set((*chosen).clone().map(|known| Chosen { folder, ..known }));
        }
    };
    let onsubmit = {
        let (chosen, error, onact) = (chosen.clone(), error.clone(), props.onact.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let Some(known) = &*chosen else { return error.set(Some(words::CHOOSE_FIRST.to_owned())) };
            match known.read() {
                Ok(migration) => {
                    error.set(None);
                    onact.emit((Act::Apply(Box::new(migration)), true));
                }
                Err(why) => error.set(Some(why)),
            }
        }
    };
    html! {
        <section class="panel" aria-labelledby="panel-file">
            <header class="panel-head"><h2 id="panel-file">{ words::FROM_FILE }</h2></header>
            <form class="form" {onsubmit} novalidate=true>
                <div class="field"><label for="migration-file">{ words::FILE }</label>
                    <input id="migration-file" class="input" type="file" accept=".toml,.json" onchange={onfile} />
                </div>
                if let Some(known) = &*chosen {
                    <div class="field"><label for="migration-folder">{ words::FOLDER }</label>
                        <input id="migration-folder" class="input" type="text" value={known.folder.clone()} oninput={onfolder} autocapitalize="none" spellcheck="false" />
                    </div>
                }
                <p class="hint">{ words::FILE_HINT }</p>
                <div role="alert">
                    if let Some(error) = &*error {
                        <div class="notice notice-bad"><p dir="auto">{ text::single_line(error).into_owned() }</p></div>
                    }
                </div>
                <div class="form-actions"><button type="submit" class="button" disabled={props.busy}>{ words::PLAN }</button></div>
            </form>
        </section>
    }
}

/// What a file says.
async fn read(file: &File) -> Option<String> {
    JsFuture::from(file.text()).await.ok()?.as_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_file_is_that_of_its_first_step() {
        let chosen = |text: &str| Chosen::new("0002_more.toml".to_owned(), text.to_owned());
        let known = chosen("[[steps]]\nchange = \"snacks\"\n[steps.rename]\ntitle = \"label\"\n");
        assert_eq!(known.folder, "snacks");
        assert_eq!(known.read().unwrap().id().to_string(), "snacks/0002_more");
        assert_eq!(chosen("[[steps]]\nunpublish = \"/v1/snacks/\"\n").folder, "");
        assert!(chosen("steps = 3").read().is_err());
        assert!(Chosen { name: "more.txt".to_owned(), ..known }.read().unwrap_err().contains("0003_add_price"));
    }
}
