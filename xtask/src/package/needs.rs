//! What programs need of a system's C library, as their dynamic section says.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use elf::{ElfBytes, abi::DT_NEEDED, endian::AnyEndian};

/// What several programs need together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The names of libraries, such as `libc.so.6`. None: the programs are static.
    pub(super) libraries: BTreeSet<String>,
    /// The highest version of the GNU C library that a symbol is of.
    pub(super) glibc: Option<(u32, u32)>,
}

impl Needs {
    /// Adds what a program needs.
    pub(super) fn add(&mut self, program: &[u8]) -> Result<()> {
        let elf = ElfBytes::<AnyEndian>::minimal_parse(program)?;
        let common = elf.find_common_data()?;
        let (Some(dynamic), Some(names)) = (common.dynamic, common.dynsyms_strs) else { return Ok(()) };
        for entry in dynamic.iter().filter(|entry| entry.d_tag == DT_NEEDED) {
            self.libraries.insert(names.get(usize::try_from(entry.d_val())?)?.to_owned());
        }
        let (Some(symbols), Some(versions)) = (common.dynsyms, elf.symbol_version_table()?) else { return Ok(()) };
        for symbol in 0..symbols.len() {
            let Some(needed) = versions.get_requirement(symbol)? else { continue };
            if let Some(version) = needed.name.strip_prefix("GLIBC_") {
                let mut parts = version.split('.').map(str::parse::<u32>);
                let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
                    // Such as GLIBC_PRIVATE, which no program of ours may use.
                    return Err(anyhow::anyhow!("{}", needed.name)).context("no version of the C library");
                };
                self.glibc = self.glibc.max(Some((major, minor)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_machine_needs_its_c_library() {
        let mut needs = Needs::default();
        needs.add(&std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
        assert!(needs.libraries.contains("libc.so.6"), "{needs:?}");
        assert!(needs.glibc >= Some((2, 17)) && needs.glibc < Some((3, 0)), "{needs:?}");
        needs.add(b"#!/bin/sh\n").unwrap_err();
    }
}
