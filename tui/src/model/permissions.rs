//! What the user may do on the screen that is seen.

use common::{
    access::{AccessRules, Action as Access, Caller, Decision},
    record::Record,
};

use super::{Model, Screen};
use crate::{
    key::{Action, Context},
    screen::Stage,
};

impl Model {
    /// Whether an action makes sense right now; footer and help leave the others out.
    pub fn offers(&self, action: Action) -> bool {
        if self.help.is_some() {
            return true;
        }
        let writes = [
            Action::New,
            Action::Edit,
            Action::Delete,
            Action::Undo,
            Action::Password,
            Action::EndOthers,
            Action::Import,
            Action::ServerLevel,
            Action::Share,
            Action::Overwrite,
            Action::Restore,
        ];
        if self.is_read_only && writes.contains(&action) {
            return false;
        }
        match action {
            Action::Undo => !self.undo.is_empty(),
            Action::OtherForm => self.sign_in.as_ref().is_some_and(|sign_in| sign_in.setup_required),
            Action::Retry => self.sign_in.as_ref().is_some_and(|sign_in| sign_in.look.error.is_some()),
            Action::TakeTheirs => match self.screens.last() {
                Some(Screen::Form(form)) => form.theirs_here().is_some(),
                _ => false,
            },
            Action::LookUp => match self.screens.last() {
                Some(Screen::Form(form)) => form.refers_to().is_some(),
                _ => false,
            },
            Action::AddField => matches!(self.screens.last(), Some(Screen::Definition(_))),
            Action::RemoveField | Action::FieldUp | Action::FieldDown => {
                matches!(self.screens.last(), Some(Screen::Definition(form)) if form.is_in_field())
            }
            Action::Choose | Action::ChooseRange | Action::ChooseAll | Action::Import => {
                let is_table = matches!(self.screens.last(), Some(Screen::Records(table)) if !table.is_look_up);
                is_table && (action != Action::Import || self.may_at_all(Action::New))
            }
            Action::Submit | Action::Export | Action::Delete if self.context() == Context::Import => {
                self.offers_of_import(action)
            }
            Action::Share | Action::Overwrite | Action::Edit | Action::Delete if self.context() == Context::Views => {
                let me = self.user.as_ref().map(|user| user.id);
                matches!(self.screens.last(), Some(Screen::Views(views)) if views.may_change(me, self.is_admin()))
            }
            Action::New if self.context() == Context::Views => true,
            Action::Export if self.context() == Context::Insights => true,
            Action::OtherField => {
                matches!(self.screens.last(), Some(Screen::Insights(screen)) if screen.current().is_some_and(|panel| panel.choices.len() > 1))
            }
            Action::Trash | Action::Export | Action::Views | Action::Insights | Action::Join => {
                matches!(self.screens.last(), Some(Screen::Records(table)) if !table.is_look_up)
            }
            Action::Users
            | Action::Invitations
            | Action::Migrations
            | Action::Log
            | Action::Failures
            | Action::Server
            | Action::Backup => self.is_admin(),
            Action::Delete if self.context() == Context::Migrations => true,
            Action::New | Action::Edit | Action::Delete if self.context() == Context::Invitations => self.is_admin(),
            Action::New | Action::Edit | Action::Delete => self.may_at_all(action),
            _ => true,
        }
    }

    fn offers_of_import(&self, action: Action) -> bool {
        let Some(Screen::Import(screen)) = self.screens.last() else { return false };
        match (&screen.stage, action) {
            (Stage::Checked(_), Action::Submit) => screen.ready().is_some(),
            (Stage::UnderWay(..), Action::Delete) | (Stage::Over(_), Action::Submit) => true,
            (Stage::Over(ended), Action::Export) => ended.rejected().is_some(),
            _ => false,
        }
    }

    fn may_at_all(&self, action: Action) -> bool {
        let access = match action {
            Action::New => Access::Create,
            Action::Edit => Access::Update,
            _ => Access::Delete,
        };
        match self.screens.last() {
            Some(Screen::Records(records)) => self.decide(&records.collection.access, access) != Decision::Denied,
            Some(Screen::Record(detail)) => {
                let decision = self.decide(&detail.collection.access, access);
                decision.covers(detail.record.owner())
            }
            Some(Screen::Collections(_) | Screen::Dashboard(_) | Screen::Users(_)) => self.is_admin(),
            Some(Screen::Sessions(_)) => true,
            _ => false,
        }
    }

    /// The user may define collections. Before the user is known this is a yes: the server decides anyway.
    pub fn is_admin(&self) -> bool {
        self.user.as_ref().is_none_or(|user| user.is_admin)
    }

    /// The decision of a collection's rules for the user. Before the user is known everything is allowed: the server decides anyway.
    pub fn decide(&self, rules: &AccessRules, access: Access) -> Decision {
        let Some(user) = &self.user else { return Decision::All };
        let caller = Caller::User { id: user.id, is_admin: user.is_admin, roles: user.roles.clone() };
        rules.decide(access, &caller)
    }

    /// Whether the user may do something to a record.
    pub fn may(&self, rules: &AccessRules, access: Access, record: &Record) -> bool {
        self.decide(rules, access).covers(record.owner())
    }
}
