//! Becoming another user: the command lines of sudo, su and doas, their prompts and their error messages.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use playbook_api::Failure;

use super::Password;

/// The user that a task becomes, and the program for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Become {
    /// The user's name.
    pub user: String,
    /// `sudo`, `su` or `doas`.
    pub method: String,
    /// The program, if its name is not that of the method.
    pub exe: Option<String>,
    /// The program's flags.
    pub flags: Option<String>,
    /// The password that the program asks for.
    pub password: Option<Password>,
    /// The prompts of su, if it uses another language.
    pub prompts: Vec<String>,
}

/// The word for a password in the languages of su's prompts.
const SU_PROMPTS: &[&str] = &[
    "Password",
    "암호",
    "パスワード",
    "Adgangskode",
    "Contraseña",
    "Contrasenya",
    "Hasło",
    "Heslo",
    "Jelszó",
    "Lösenord",
    "Mật khẩu",
    "Mot de passe",
    "Parola",
    "Parool",
    "Pasahitza",
    "Passord",
    "Passwort",
    "Salasana",
    "Sandi",
    "Senha",
    "Wachtwoord",
    "ססמה",
    "Лозинка",
    "Парола",
    "Пароль",
    "गुप्तशब्द",
    "शब्दकूट",
    "సంకేతపదము",
    "හස්පදය",
    "密码",
    "密碼",
    "口令",
];

impl Become {
    /// Returns the command line that runs a shell's command line as the other user. `key` makes the prompt unique.
    pub fn command(&self, command: &str, key: &str) -> Result<String, Failure> {
        let exe = self.exe.as_deref().unwrap_or(self.name());
        let user = quote(&self.user);
        let shell = format!("/bin/sh -c {}", quote(command));
        match self.name() {
            "sudo" => {
                let flags = self.flags.as_deref().unwrap_or("-H -S -n");
                let (flags, ask) = match self.password {
                    Some(_) => (asking(flags), format!("-p {} ", quote(&sudo_prompt(key)))),
                    None => (flags.to_owned(), String::new()),
                };
                // For a login shell, sudo splits the line and does not escape `$`.
                let shell = match flags.split_whitespace().any(starts_login) {
                    true => {
                        let packed = BASE64_STANDARD.encode(command);
                        format!("/bin/sh -c {}", quote(&format!("eval \"`echo {packed} | base64 -d`\"")))
                    }
                    false => shell,
                };
                Ok(format!("{exe} {flags} {ask}-u {user} {shell}"))
            }
            "su" => {
                let flags = self.flags.as_deref().unwrap_or_default();
                Ok(format!("{exe} {flags} {user} -c {}", quote(&shell)))
            }
            "doas" => {
                let flags = self.flags.as_deref().unwrap_or_default();
                let silent = if self.password.is_none() { "-n " } else { "" };
                Ok(format!("{exe} {flags} {silent}-u {user} {shell}"))
            }
            other => Err(Failure::new(format!(
                "Invalid become method specified, could not find matching plugin: '{other}'."
            ))
            .with_help("The become methods are sudo, su and doas.")),
        }
    }

    /// Returns the command line for a terminal, on which the password is asked for and entered.
    pub fn command_at_terminal(&self, command: &str) -> Result<String, Failure> {
        match self.name() {
            "sudo" => {
                let flags = without(self.flags.as_deref().unwrap_or("-H -S -n"), 'S', "--stdin");
                Become { flags: Some(flags), ..self.clone() }.command(command, "")
            }
            _ => self.command(command, ""),
        }
    }

    /// Whether the program reads a password only from a terminal.
    pub fn needs_terminal(&self) -> bool {
        self.name() == "doas" && self.password.is_some()
    }

    /// Returns the method's name without its collection.
    pub fn name(&self) -> &str {
        self.method.rsplit('.').next().unwrap_or_default()
    }

    /// Returns the end of the password prompt in the output so far.
    pub fn question(&self, said: &[u8], key: &str) -> Option<usize> {
        let text = String::from_utf8_lossy(said);
        match self.name() {
            "sudo" => {
                let prompt = sudo_prompt(key);
                find(said, prompt.as_bytes()).map(|at| at + prompt.len())
            }
            _ => {
                let asked = text.trim_end();
                let before = asked.strip_suffix(':').or(asked.strip_suffix('：'))?.trim_end().to_lowercase();
                let ends = |prompt: &str| before.ends_with(&prompt.to_lowercase());
                let known = match self.prompts.as_slice() {
                    [] => SU_PROMPTS.iter().any(|p| ends(p)) || before.contains("password"),
                    given => given.iter().any(|p| ends(p)),
                };
                known.then_some(said.len())
            }
        }
    }

    /// Returns the error that a program's messages mean.
    pub fn refusal(&self, said: &str, answered: bool) -> Option<String> {
        let any = |words: &[&str]| words.iter().any(|w| said.contains(w));
        let name = self.name();
        let wrong = match name {
            "sudo" => {
                any(&["Sorry, try again", "incorrect password", "no password was provided"]) && answered
            }
            "su" => any(&["Authentication failure", "incorrect password"]),
            _ => any(&["Permission denied", "Authentication failed", "Authorization failed"]) && answered,
        };
        let missing = match name {
            "sudo" => any(&[
                "a password is required",
                "Sorry, a password is required",
                "password is required to run sudo",
            ]),
            "su" => any(&["must be run from a terminal"]),
            _ => any(&["Authorization required", "Authentication required", "Authorization failed"]),
        };
        match () {
            () if wrong && (answered || name != "su") => Some(format!("Incorrect {name} password")),
            () if missing || wrong => Some(format!("Missing {name} password")),
            () => None,
        }
    }

    /// Returns the failure of a wrong password.
    pub fn incorrect(&self) -> Failure {
        Failure::new(format!("Incorrect {} password", self.name()))
    }

    /// Returns the failure of a password that is required and was not given.
    pub fn missing(&self) -> Failure {
        Failure::new(format!("Missing {} password", self.name()))
    }
}

/// Whether one of sudo's flags selects the user's own shell.
fn starts_login(flag: &str) -> bool {
    match flag.strip_prefix("--") {
        Some(long) => matches!(long, "login" | "shell"),
        None => flag.starts_with('-') && flag.contains(['i', 's']),
    }
}

fn sudo_prompt(key: &str) -> String {
    format!("[sudo via playbook, key={key}] password:")
}

/// Whether sudo refuses to run without a terminal (`requiretty`).
pub(crate) fn wants_terminal(said: &str) -> bool {
    said.contains("you must have a tty")
}

/// Returns sudo's flags without the one that forbids prompts.
fn asking(flags: &str) -> String {
    without(flags, 'n', "--non-interactive")
}

/// Returns flags without one of them.
fn without(flags: &str, short: char, long: &str) -> String {
    let words = flags.split_whitespace().filter_map(|word| match word {
        word if word == long => None,
        word if word.starts_with("--") => Some(word.to_owned()),
        word if word.starts_with('-') => Some(word.replacen(short, "", 1)).filter(|word| word != "-"),
        other => Some(other.to_owned()),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Quotes a word so that a shell takes it literally.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, password: bool) -> Become {
        let password = password.then(|| Password("hunter22".into()));
        Become { user: "deploy".into(), method: method.into(), password, ..Become::default() }
    }

    #[test]
    fn command_lines_never_hold_the_password() {
        for method in ["sudo", "su", "doas", "community.general.doas"] {
            for password in [false, true] {
                let line = of(method, password).command("echo 'it''s'", "k").unwrap();
                assert!(!line.contains("hunter22"), "{line}");
            }
        }
        assert!(of("sudo", false).command("x", "k").unwrap().starts_with("sudo -H -S -n -u deploy"));
        assert!(of("sudo", true).command("x", "k").unwrap().starts_with("sudo -H -S -p '[sudo"));
        assert!(of("runas", false).command("x", "k").is_err());
    }

    #[test]
    fn questions_are_told_from_other_output() {
        let sudo = of("sudo", true);
        let asked = b"Welcome\n[sudo via playbook, key=k1] password:";
        assert_eq!(sudo.question(asked, "k1"), Some(asked.len()));
        assert_eq!(sudo.question(asked, "k2"), None);
        let su = of("su", true);
        assert!(su.question("Mot de passe : ".as_bytes(), "").is_some());
        assert!(su.question(b"Password: ", "").is_some());
        assert!(su.question(b"Last login: today", "").is_none());
    }

    #[test]
    fn refusals_use_ansibles_words() {
        let said = "sudo: a password is required";
        assert_eq!(of("sudo", false).refusal(said, false).as_deref(), Some("Missing sudo password"));
        let said = "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt";
        assert_eq!(of("sudo", true).refusal(said, true).as_deref(), Some("Incorrect sudo password"));
        let said = "su: Authentication failure";
        assert_eq!(of("su", true).refusal(said, true).as_deref(), Some("Incorrect su password"));
        assert_eq!(of("su", false).refusal(said, false).as_deref(), Some("Missing su password"));
    }
}
