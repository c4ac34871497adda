//! Commands of psql, which are not SQL: what to do about each of them.

/// Returns whether a command means nothing outside of psql, so that it can be passed over: pg_dump begins and ends its
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
            "Remove it: the database is the one that the task names. pg_dump writes it with --create; dump without that."
        }
        "\\i" | "\\ir" | "\\include" | "\\include_relative" => {
            "Put the content of that file here, or give it a file of its own."
        }
        "\\copy" => {
            "Use COPY … FROM stdin with the rows behind it, or load the file with a task of its own that runs psql."
        }
        "\\set" | "\\unset" | "\\gset" | "\\prompt" | "\\if" | "\\elif" | "\\else" | "\\endif"
        | "\\getenv" => "Variables and conditions are psql's: write the values out, or use a DO block.",
        "\\g" | "\\gx" | "\\gexec" | "\\gdesc" | "\\crosstabview" | "\\watch" | "\\bind" => {
            "End the statement with a semicolon, and use a DO block with EXECUTE where \\gexec was used."
        }
        "\\." => "Remove it: no COPY … FROM stdin stands before it.",
        _ => "Remove it: only psql knows such commands.",
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
        assert!(advice("\\connect shop").starts_with("Remove it: the database is the one"));
        assert!(advice("\\x").starts_with("Remove it: only psql"));
    }
}
