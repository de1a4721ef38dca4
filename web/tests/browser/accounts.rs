//! Passwords, sessions and users, in several browsers at once.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, api_script, make_snacks, set_up},
    server::Server,
};

const FIRST: &str = "a word that ada told";
const SECOND: &str = "a word that bob alone knows";
const THIRD: &str = "a word after bob forgot";

/// Opens the page of a user by the keys of the list.
async fn open_user(browser: &Browser, name: &str) {
    browser.shortcut("U").await;
    browser.at("/users").await;
    browser.see("table.people td a", name).await;
    let focused = format!("return document.activeElement.innerText === {}", json!(name));
    while browser.run(&focused).await != true {
        browser.press("j").await;
    }
    browser.press("e").await;
    browser.see("h1", name).await;
}

#[tokio::test]
async fn a_user_with_a_role_changes_their_password_and_ends_sessions() {
    let server = Server::empty();
    let admin = Browser::start(&server).await;
    set_up(&admin, &server).await;
    make_snacks(&admin, json!([{"title": "Popcorn"}])).await;

    // A user with a role. What is wrong stands at its input, whoever finds it, and nothing typed is lost by it.
    admin.shortcut("U").await;
    admin.at("/users").await;
    admin.see("table.people td", "ada").await;
    admin.shortcut("n").await;
    admin.at("/users/new").await;
    admin.fill("#field-username", "bob").await;
    admin.fill("#field-password", "short").await;
    admin.fill("#field-roles", "Editor").await;
    admin.press_with_control('s').await;
    admin.see("#field-roles-error", "a to z").await;
    admin.fill("#field-roles", "editor cook").await;
    admin.press_with_control('s').await;
    admin.see("#field-password-error", "15 characters").await;
    admin.back().await;
    admin.at("/users").await;
    admin.shortcut("n").await;
    admin.see(".notice", "something unsent").await;
    admin.wait("return document.querySelector('#field-roles').value === 'editor cook'").await;
    admin.fill("#field-password", FIRST).await;
    admin.press(ENTER).await;
    admin.at("/users").await;
    admin.see(".toast", "Made the user bob.").await;
    admin.see("table.people td", "cook editor").await;

    // The user signs in twice, and changes their password in one of the browsers.
    let (bob, elsewhere) = (Browser::start(&server).await, Browser::start(&server).await);
    for browser in [&bob, &elsewhere] {
        browser.go("/c/snacks/new").await;
        browser.sign_in("bob", FIRST).await;
        browser.fill("#field-title", "Typed by bob").await;
        browser.absent("[data-key=U]").await;
    }
    bob.go("/password").await;
    bob.fill("#field-current_password", "not this one").await;
    bob.fill("#field-new_password", SECOND).await;
    bob.press(ENTER).await;
    bob.see("#field-current_password-error", "This is not your current password.").await;
    bob.fill("#field-current_password", FIRST).await;
    bob.wait(&format!("return document.querySelector('#field-new_password').value === {}", json!(SECOND))).await;
    bob.press(ENTER).await;
    bob.at("/sessions").await;
    bob.see(".toast", "Your password is changed").await;
    bob.see("table.people td", "this one").await;
    bob.absent("tbody tr:nth-child(2), [data-key=a]").await;

    // The other browser was signed out by that. It says so at once, keeps what was typed, and goes on with the new password.
    elsewhere.see("dialog", "you were signed out elsewhere").await;
    elsewhere.fill("dialog input[name=password]", SECOND).await;
    elsewhere.press(ENTER).await;
    elsewhere.absent("dialog").await;
    elsewhere.click("button[type=submit]").await;
    elsewhere.see("table.records td", "Typed by bob").await;

    // Both are seen, and the other one is ended by its key, after a question.
    bob.reload().await;
    bob.see("table.people td", "Chrome on Linux").await;
    bob.text("tbody tr:nth-child(2)").await;
    bob.press("j").await;
    if bob.run("return !!document.activeElement.closest('tr').querySelector('.tag')").await == true {
        bob.press("j").await;
    }
    bob.press("d").await;
    bob.see("dialog", "will have to sign in again").await;
    bob.press(ENTER).await;
    bob.see(".toast", "Ended.").await;
    bob.absent("tbody tr:nth-child(2)").await;
    // The page that is there says so by itself, and so does the one that is loaded instead.
    elsewhere.see("dialog", "you were signed out elsewhere").await;
    elsewhere.reload().await;
    elsewhere.see(".notice", "you were signed out elsewhere").await;
    elsewhere.sign_in("bob", SECOND).await;
    elsewhere.see("table.records td", "Typed by bob").await;
    bob.reload().await;
    bob.text("tbody tr:nth-child(2)").await;
    bob.shortcut("a").await;
    bob.see("dialog", "All your sessions but this one will end.").await;
    bob.press(ENTER).await;
    bob.absent("tbody tr:nth-child(2)").await;
    for browser in [bob, elsewhere, admin] {
        browser.end(&[400, 401]).await;
    }
}

#[tokio::test]
async fn an_admin_resets_disables_and_deletes_a_user_and_stays_the_last_admin() {
    let server = Server::empty();
    let (admin, bob) = (Browser::start(&server).await, Browser::start(&server).await);
    set_up(&admin, &server).await;
    make_snacks(&admin, json!([{"title": "Popcorn"}])).await;
    let user = json!({"username": "bob", "password": SECOND});
    admin.run(&api_script(&format!("return call('/api/users/', {user})"))).await;
    bob.go("/c/snacks").await;
    bob.sign_in("bob", SECOND).await;
    bob.see("table.records td", "Popcorn").await;

    // The admin sees where the user is signed in, and resets the password.
    open_user(&admin, "bob").await;
    admin.shortcut("i").await;
    admin.see("h1", "Sessions of bob").await;
    admin.text("tbody tr").await;
    admin.shortcut("b").await;
    admin.fill("#field-password", THIRD).await;
    admin.press(ENTER).await;
    admin.see(".toast", "Saved the user bob. Their sessions have ended.").await;
    // Their window says so at once.
    bob.see("dialog", "you were signed out elsewhere").await;
    bob.fill("dialog input[name=password]", THIRD).await;
    bob.press(ENTER).await;
    bob.absent("dialog").await;
    bob.see("table.records td", "Popcorn").await;

    // All sessions of the user end at once; then the user may not sign in any more.
    admin.press("j").await;
    open_user(&admin, "bob").await;
    admin.shortcut("i").await;
    admin.shortcut("a").await;
    admin.see("dialog", "All sessions of bob will end.").await;
    admin.press(ENTER).await;
    admin.see(".empty", "Nobody is signed in here.").await;
    open_user(&admin, "bob").await;
    admin.click("#field-is_active").await;
    admin.press_with_control('s').await;
    admin.at("/users").await;
    admin.see("table.people .tag-warn", "No").await;
    bob.reload().await;
    bob.sign_in("bob", THIRD).await;
    bob.see(".notice-bad", "No active account").await;

    // The last admin stays one, whichever way it is tried, and reads why.
    open_user(&admin, "ada").await;
    admin.click("#field-is_active").await;
    admin.press_with_control('s').await;
    admin.see(".notice-bad", "This is the last active admin.").await;
    admin.wait("return document.querySelector('#field-is_active').checked === false").await;
    admin.click(".form-actions a").await;
    open_user(&admin, "ada").await;
    admin.wait("return document.querySelector('#field-is_active').checked").await;
    admin.shortcut("d").await;
    admin.press("ada").await;
    admin.press(ENTER).await;
    admin.see(".danger .notice-bad", "This is the last active admin.").await;

    // Others can be deleted, once the name has been typed.
    admin.click("h1").await;
    open_user(&admin, "bob").await;
    admin.shortcut("d").await;
    admin.press("bo").await;
    admin.wait("return document.querySelector('.danger button').disabled").await;
    admin.press("b").await;
    admin.press(ENTER).await;
    admin.at("/users").await;
    admin.see(".toast", "Deleted the user bob.").await;
    admin.absent("tbody tr:nth-child(2)").await;
    for browser in [bob, admin] {
        browser.end(&[401, 409]).await;
    }
}

#[tokio::test]
async fn who_ends_their_own_session_is_out_and_only_admins_get_to_the_users() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;

    // The list of keys has the new ones.
    browser.press("?").await;
    for key in ["U", "i", "p", "a"] {
        browser.see("dialog .keys kbd", key).await;
    }
    browser.press("\u{e00c}").await;
    browser.absent("dialog").await;

    // An admin who renames themselves reads the new name at once.
    open_user(&browser, "ada").await;
    browser.fill("#field-username", "lovelace").await;
    browser.press(ENTER).await;
    browser.see(".who-name", "lovelace").await;

    // A second admin; then the first gives the power away, and is told what that means.
    browser.shortcut("n").await;
    browser.fill("#field-username", "eve").await;
    browser.fill("#field-password", PASSWORD).await;
    browser.click("#field-is_admin").await;
    // The session ends meanwhile: sign-in stands over the form, begins at the password, and takes nothing away.
    browser.run("await fetch('/api/session/', {method: 'DELETE', headers: {'x-coffer': '1'}})").await;
    browser.press_with_control('s').await;
    browser.see("dialog", "what you typed is still there").await;
    browser.wait("return document.activeElement.closest('dialog') && document.activeElement.name === 'password'").await;
    browser.press(PASSWORD).await;
    browser.press(ENTER).await;
    browser.absent("dialog").await;
    browser.absent(".notice-bad").await;
    browser.click("button[type=submit]").await;
    browser.see(".toast", "Made the user eve.").await;
    open_user(&browser, "lovelace").await;
    browser.click("#field-is_admin").await;
    browser.press_with_control('s').await;
    browser.see(".notice", "Only admins manage users.").await;
    browser.absent("[data-key=U]").await;

    // Ending the session that one is in is signing out, and no surprise.
    browser.shortcut("i").await;
    browser.at("/sessions").await;
    browser.see("table.people .tag", "this one").await;
    browser.press("j").await;
    browser.press("d").await;
    browser.see("dialog", "This is the session that you are in.").await;
    browser.press(ENTER).await;
    browser.at("/sign-in?next=%2Fsessions").await;
    browser.absent(".notice").await;
    browser.end(&[401]).await;
}

#[tokio::test]
async fn somebody_is_invited_by_a_link_and_another_link_is_taken_back() {
    let server = Server::with(&["--sign-up", "invite"]);
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    browser.go("/users").await;
    browser.click("a[href='/users/invitations']").await;
    browser.at("/users/invitations").await;
    browser.see(".hint", "No invitation is open.").await;
    browser.fill("#field-roles", "cook").await;
    browser.press(ENTER).await;
    let link = browser.text(".invitation").await;
    assert!(link.starts_with(&format!("{}/sign-up?invitation=", server.address)), "{link}");
    browser.see("table.people td", "cook").await;
    browser.click("form button[type=submit]").await;
    browser.wait("return document.querySelectorAll('table.people tbody tr').length === 2").await;
    let gone = browser.text(".invitation").await;
    assert_ne!(link, gone);
    // The newest stands first.
    browser.click("table.people tbody tr:first-child button").await;
    browser.see(".toast", "The invitation was taken back.").await;
    browser.wait("return document.querySelectorAll('table.people tbody tr').length === 1").await;
    // A link is told once.
    browser.reload().await;
    browser.see("table.people td", "cook").await;
    browser.absent(".invitation").await;

    browser.click(".who button:last-child").await;
    browser.see("h1", "Sign in").await;
    browser.go(&gone).await;
    browser.fill("#field-username", "eve").await;
    browser.fill("#field-password", PASSWORD).await;
    browser.press(ENTER).await;
    browser.see(".notice-bad", "This invitation does not count").await;
    browser.go(&link).await;
    browser.see("h1", "Sign up").await;
    browser.fill("#field-username", "eve").await;
    browser.fill("#field-password", PASSWORD).await;
    browser.press(ENTER).await;
    browser.see("h1", "Dashboard").await;
    browser.see(".who", "eve").await;
    // Neither is it in the address any more.
    browser.at("/").await;
    browser.end(&[400]).await;
}
