//! Every page's address. Names and ids are parsed here, so that an address that cannot be right shows the page that says so.

use std::{fmt, str::FromStr};

use common::{
    endpoint::behind_api,
    id::{RecordId, UserId},
    name::CollectionName,
    query::{decode, encode},
};
use yew_router::Routable;

/// A page and what it is about.
#[derive(Debug, Clone, PartialEq, Routable)]
pub(crate) enum Route {
    #[at("/")]
    Dashboard,
    #[at("/collections")]
    Collections,
    #[at("/setup")]
    SetUp,
    #[at("/sign-in")]
    SignIn,
    #[at("/sign-up")]
    SignUp,
    #[at("/collections/new")]
    NewCollection,
    #[at("/collections/from-file")]
    NewFromFile,
    #[at("/collections/:name/edit")]
    EditCollection { name: CollectionName },
    #[at("/c/:name")]
    Records { name: CollectionName },
    #[at("/c/:name/new")]
    NewRecord { name: CollectionName },
    #[at("/c/:name/import")]
    Import { name: CollectionName },
    #[at("/c/:name/:id")]
    Record { name: CollectionName, id: RecordId },
    #[at("/password")]
    Password,
    #[at("/sessions")]
    Sessions,
    #[at("/users")]
    Users,
    #[at("/users/new")]
    NewUser,
    #[at("/users/invitations")]
    Invitations,
    #[at("/users/:id")]
    User { id: UserId },
    #[at("/users/:id/sessions")]
    UserSessions { id: UserId },
    #[at("/changes")]
    Changes,
    #[at("/server/:page")]
    Server { page: ServerPage },
    /// An address of the API, shown to people.
    #[at("/api/*rest")]
    Api { rest: String },
    #[at("/api")]
    ApiRoot,
    #[not_found]
    #[at("/not-found")]
    NotFound,
}

/// Which page about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerPage {
    /// Its settings and keys.
    Settings,
    /// Its log.
    Log,
    /// A token explained.
    Token,
    /// Who may do what.
    Access,
    /// How a collection's records are asked for.
    Api,
    /// Migrations.
    Migrations,
}

impl ServerPage {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Settings, "settings"),
        (Self::Log, "log"),
        (Self::Token, "token"),
        (Self::Access, "access"),
        (Self::Api, "api"),
        (Self::Migrations, "migrations"),
    ];
}

impl fmt::Display for ServerPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(page, _)| page == self).map_or("", |(_, word)| word))
    }
}

impl FromStr for ServerPage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(page, _)| *page).ok_or(())
    }
}

/// A route with its query string, without the question mark.
pub(crate) type Location = (Route, String);

/// The path and query of a location, as an address has them.
pub(crate) fn address(route: &Route, query: &str) -> String {
    if query.is_empty() { route.to_path() } else { format!("{}?{query}", route.to_path()) }
}

/// The query string of the sign-in page that leads back to this address.
pub(crate) fn sign_in_query(path_and_query: &str) -> String {
    if path_and_query == "/" { String::new() } else { encode(&[("next".to_owned(), path_and_query.to_owned())]) }
}

/// Where the sign-in page leads. Only pages of this app are taken: whatever else the query names leads to the first page.
pub(crate) fn after_sign_in(query: &str) -> Location {
    let next = decode(query).into_iter().find(|(name, _)| name == "next").map(|(_, value)| value).unwrap_or_default();
    let (path, query) = next.split_once('?').unwrap_or((&next, ""));
    match Route::recognize(path) {
        // The page behind the slash is another address.
        Some(Route::Api { .. }) => {
            (Route::Api { rest: behind_api(path).unwrap_or_default().to_owned() }, query.to_owned())
        }
        Some(Route::NotFound | Route::SignIn | Route::SignUp | Route::SetUp) | None => {
            (Route::Dashboard, String::new())
        }
        Some(route) => (route, query.to_owned()),
    }
}

/// One parameter of a query string.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    decode(query).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_back_with_filters_kept() {
        let query = sign_in_query("/c/snacks?price__gte=3&page=2");
        let expected = (Route::Records { name: "snacks".parse().unwrap() }, "price__gte=3&page=2".to_owned());
        assert_eq!(after_sign_in(&query), expected);
        assert_eq!(address(&expected.0, &expected.1), "/c/snacks?price__gte=3&page=2");
    }

    #[test]
    fn an_address_of_the_api_is_a_page_with_its_slashes() {
        let query = sign_in_query("/api/records/snacks/?page=2");
        let (route, query) = after_sign_in(&query);
        assert_eq!(address(&route, &query), "/api/records/snacks/?page=2");
        assert!(matches!(Route::recognize("/api/records/snacks/7/"), Some(Route::Api { .. })));
        assert!(matches!(Route::recognize("/api/"), Some(Route::Api { .. } | Route::ApiRoot)));
        assert_eq!(Route::recognize("/apix/"), Some(Route::NotFound));
    }

    #[test]
    fn who_comes_to_a_page_without_a_session_signs_in_first_and_an_address_of_the_api_is_shown() {
        let boot = include_str!("../boot.js");
        let own =
            boot.lines().find_map(|line| line.strip_prefix(r"const isOwn = /^\/($|(")?.split_once(')')).unwrap().0;
        let own: Vec<&str> = own.split('|').collect();
        let first = |path: &'static str| path.trim_start_matches('/').split('/').next().unwrap();
        for path in Route::routes().into_iter().filter(|path| !["/", "/not-found"].contains(path)) {
            assert_eq!(own.contains(&first(path)), first(path) != "api", "{path}");
        }
        for path in own {
            assert!(Route::routes().iter().any(|known| first(known) == path), "{path}");
        }
    }

    #[test]
    fn signing_in_never_leads_out_of_the_app() {
        for next in [
            "https://example.org/",
            "//example.org",
            "/\\example.org",
            "javascript:alert(1)",
            "/nowhere",
            "/sign-in",
            "",
        ] {
            let query = encode(&[("next".to_owned(), next.to_owned())]);
            assert_eq!(after_sign_in(&query), (Route::Dashboard, String::new()), "{next}");
        }
    }

    #[test]
    fn names_and_ids_that_cannot_be_are_not_found() {
        for path in
            ["/c/Snacks", "/c/snacks/01", "/c/snacks/..", "/collections/x y/edit", "/users/ada", "/server/x", "/zzz"]
        {
            assert_eq!(Route::recognize(path), Some(Route::NotFound), "{path}");
        }
        assert_eq!(Route::recognize("/c/snacks/new/"), Some(Route::NewRecord { name: "snacks".parse().unwrap() }));
    }
}
