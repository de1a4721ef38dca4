//! A page as the tests see it: its blocks of commands, what they answer, and its links.
//!
//! - `<!-- run: new server -->` before the first block that runs says what is there: a server over an empty store (and `CODE`), one `with the admin
//!   ada`, or `no server`.
//! - A block in ```` ```bash ```` runs. A block in ```` ```json ```` or ```` ```text ```` right after it is what its last command answers; `…` stands for anything.
//! - `    # 201` behind a command is the status of its answer. A block that states one states all.
//! - `<!-- not run: reason -->` before a block keeps it from running.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What the commands of a page find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    /// A server over an empty store.
    New,
    /// A server whose admin is ada.
    WithAdmin,
    /// None: the page starts its own.
    None,
}

/// A page of the documentation.
pub(crate) struct Page {
    /// Its path from the root.
    pub name: String,
    pub file: PathBuf,
    pub text: String,
    pub server: Option<ServerKind>,
    pub blocks: Vec<Block>,
    /// An indented block of code that no list explains.
    pub has_indented_block: bool,
}

/// A block of commands.
pub(crate) struct Block {
    pub commands: String,
    /// Why it is not run.
    pub not_run: Option<String>,
    /// What the last command answers: the block's language and text.
    pub answer: Option<(String, String)>,
}

impl Block {
    /// The statuses that it states.
    pub(crate) fn statuses(&self) -> Vec<&str> {
        self.commands.lines().filter_map(|line| line.rsplit_once("    # ")).map(|(_, status)| status.trim()).collect()
    }
}

impl Page {
    pub(crate) fn read(root: &Path, file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let mut page =
            Self { name, file: file.to_owned(), text, server: None, blocks: Vec::new(), has_indented_block: false };
        page.read_blocks();
        page
    }

    fn read_blocks(&mut self) {
        let text = self.text.clone();
        let mut lines = text.lines();
        let (mut not_run, mut follows_block, mut before) = (None, false, "");
        while let Some(line) = lines.next() {
            if let Some(reason) = mark(line, "not run: ") {
                not_run = Some(reason.to_owned());
            } else if let Some(kind) = mark(line, "run: ") {
                assert!(self.server.is_none(), "{} says twice what its commands run over", self.name);
                self.server = Some(match kind {
                    "new server" => ServerKind::New,
                    "server with the admin ada" => ServerKind::WithAdmin,
                    "no server" => ServerKind::None,
                    _ => panic!("{}: nobody knows \"{kind}\"", self.name),
                });
            } else if let Some(language) = line.strip_prefix("```") {
                let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                let content = content.join("\n") + "\n";
                if language == "bash" {
                    self.blocks.push(Block { commands: content, not_run: not_run.take(), answer: None });
                } else if follows_block && ["json", "text"].contains(&language) {
                    self.blocks.last_mut().unwrap().answer = Some((language.to_owned(), content));
                }
                follows_block = language == "bash";
                before = "```";
                continue;
            } else if line.starts_with("    ") && before.is_empty() {
                self.has_indented_block |= self.name != "ARCHITECTURE.md";
            }
            follows_block &= line.is_empty() && before == "```";
            before = line;
        }
    }

    /// The links to other files and headings.
    pub(crate) fn links(&self) -> Vec<String> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.filter(|link| !link.contains("://") && !link.contains(' ')).map(str::to_owned).collect()
    }

    /// The headings, as links name them.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        let anchor = |line: &str| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
        };
        headings.map(anchor).collect()
    }
}

/// What a comment of this kind says.
fn mark<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    line.strip_prefix("<!-- ")?.strip_prefix(kind)?.strip_suffix(" -->")
}
