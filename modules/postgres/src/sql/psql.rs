//! The commands of psql, which are not SQL, with help for each of them.

/// Returns whether a command can be skipped because it has no effect outside of psql: pg_dump begins and ends its
/// output with `\restrict` and `\unrestrict`, which keep psql from running other commands in between.
pub(crate) fn is_harmless(line: &str) -> bool {
    matches!(name(line), "\\restrict" | "\\unrestrict")
}

/// Returns the command's name with its backslash: `\copy`.
pub(crate) fn name(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or("\\")
}

/// Returns what to write instead of the command.
pub(crate) fn advice(line: &str) -> &'static str {
    match name(line) {
        "\\c" | "\\connect" => {
            "Remove it: the task names the database. pg_dump writes it with --create; dump without that option."
        }
        "\\i" | "\\ir" | "\\include" | "\\include_relative" => {
            "Insert the content of that file here, or make it a migration."
        }
        "\\copy" => {
            "Use COPY … FROM stdin followed by the rows, or load the file with a task that runs psql."
        }
        "\\set" | "\\unset" | "\\gset" | "\\prompt" | "\\if" | "\\elif" | "\\else" | "\\endif"
        | "\\getenv" => {
            "Write the values out, or use a DO block: only psql has such variables and conditions."
        }
        "\\g" | "\\gx" | "\\gexec" | "\\gdesc" | "\\crosstabview" | "\\watch" | "\\bind" => {
            "End the statement with a semicolon, and use a DO block with EXECUTE where \\gexec was used."
        }
        "\\." => "Remove it: there is no COPY … FROM stdin before it.",
        _ => "Remove it: only psql has such commands.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fence_of_pg_dump_is_passed_over() {
        assert!(is_harmless("\\restrict aBc1"));
        assert!(is_harmless("\\unrestrict aBc1"));
        assert!(!is_harmless("\\restricted"));
        assert!(!is_harmless("\\i x.sql"));
        assert!(advice("\\connect shop").starts_with("Remove it: the task names the database"));
        assert!(advice("\\x").starts_with("Remove it: only psql"));
    }
}
