//! The rows: what works, what names a profile that does not exist, and what the SDK ignores or cannot read.

use super::{CONFIG, CREDENTIALS, ROLE, check_all, none, row};

#[tokio::test]
async fn what_works() {
    check_all(vec![
        row("nothing at all").instance(),
        row("the default profile in the credentials file").credentials("[default]\n{wanted}"),
        row("the default profile in the config file").config("[default]\n{wanted}"),
        row("[profile default]").config("[profile default]\n{wanted}"),
        row("a named profile in the config file")
            .config("[default]\n{other}[profile p]\n{wanted}")
            .named("p"),
        row("a named profile in the credentials file")
            .credentials("[default]\n{other}[p]\n{wanted}")
            .named("p"),
        row("a profile in both files")
            .config("[profile p]\nregion = x\n")
            .credentials("[p]\n{wanted}")
            .named("p"),
        row("--profile before AWS_PROFILE").credentials("[p]\n{wanted}[q]\n{other}").named("q").only("p"),
        row("blanks in a section").config("[ profile  p ]\n{wanted}").named("p"),
        row("comments").config("# one\n[profile p] ; two\n; three\n{wanted}region = x # four\n").named("p"),
        row("capitals in a setting").credentials("[default]\nAWS_ACCESS_KEY_ID = x\n{wanted}"),
        row("a key in the environment before a profile")
            .credentials("[p]\n{other}")
            .named("p")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}"),
        row("key variables left empty")
            .variable("AWS_ACCESS_KEY_ID", "")
            .variable("AWS_SECRET_ACCESS_KEY", "")
            .instance(),
        row("a default profile with a region only").config("[default]\nregion = eu-west-1\n").instance(),
        row("AWS_PROFILE with a region only")
            .config("[profile p]\nregion = eu-west-1\n")
            .named("p")
            .instance(),
        row("empty files").config("").credentials("").instance(),
        row("other profiles").credentials("[p]\n{other}").instance(),
        row("variables of profile files left empty")
            .credentials("[default]\n{wanted}")
            .variable("AWS_CONFIG_FILE", "")
            .variable("AWS_SHARED_CREDENTIALS_FILE", ""),
        #[cfg(unix)]
        row("no profile files by way of /dev/null")
            .credentials("[default]\n{other}")
            .variable("AWS_CONFIG_FILE", "/dev/null")
            .variable("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .instance(),
        row("CR LF at the end of lines").credentials("[default]\r\n{wanted}\r\n# the end\r\n"),
        row("nested settings").config("[default]\ns3 =\n  max_concurrent_requests = 20\n{wanted}"),
        row("a role's own keys in its profile")
            .config(&format!("[default]\n{ROLE}\nsource_profile = default\n"))
            .credentials("[default]\n{wanted}")
            .none(["error: the profile does not provide credentials", "127.0.0.1:9"]),
        row("variables of files left empty")
            .variable("AWS_WEB_IDENTITY_TOKEN_FILE", "")
            .variable("AWS_ROLE_ARN", "")
            .instance(),
        row("a name with every character that the SDK takes")
            .credentials("[a-b_c/d.e%f@g:h+i]\n{wanted}")
            .named("a-b_c/d.e%f@g:h+i"),
    ])
    .await;
}

#[tokio::test]
async fn what_names_a_missing_profile() {
    const SSO: &str = "sso_start_url = https://thing-team.example/start\n";
    check_all(vec![
        row("AWS_PROFILE misspelt")
            .credentials("[default]\n{other}")
            .named("p")
            .none(["no profile \"p\", which AWS_PROFILE asks for", "hold: default\n"]),
        row("AWS_PROFILE left empty")
            .credentials("[default]\n{other}")
            .named("")
            .none(["no profile \"\", which AWS_PROFILE asks for"]),
        row("--profile misspelt")
            .credentials("[default]\n{other}")
            .only("p")
            .none(["no profile \"p\", which --profile asks for"]),
        row("--profile with a region only")
            .config("[profile p]\nregion = x\n")
            .only("p")
            .none(["no credentials found", "the profile \"p\" sets up no credentials"]),
        row("source_profile that is not there")
            .config(&format!("[default]\n{ROLE}\nsource_profile = gone\n"))
            .none(["no profile \"gone\", which source_profile in the profile \"default\" asks for"]),
        row("source_profile of a source_profile that is not there")
            .config(&format!(
                "[default]\n{ROLE}\nsource_profile = a\n[profile a]\n{ROLE}\nsource_profile = b\n"
            ))
            .none(["no profile \"b\", which source_profile in the profile \"a\" asks for"]),
        row("profiles that lead to each other")
            .config(&format!(
                "[default]\n{ROLE}\nsource_profile = a\n[profile a]\n{ROLE}\nsource_profile = default\n"
            ))
            .none(["infinite loop"]),
        row("a role without a source").config(&format!("[default]\n{ROLE}\n")).none(["source_profile"]),
        row("SSO without a region")
            .config(&format!("[default]\n{SSO}sso_account_id = 1\nsso_role_name = r\n"))
            .none(["sso_region"]),
        row("SSO with neither account nor role")
            .config(&format!("[default]\n{SSO}sso_region = eu-west-2\n"))
            .none(["sso_account_id"]),
        row("SSO with an account only")
            .config(&format!("[default]\n{SSO}sso_region = eu-west-2\nsso_account_id = 1\n"))
            .none(["sso_role_name"]),
        row("SSO session that is not there")
            .config("[default]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n")
            .none(["sso-session named `gone`"]),
        row("half a key pair in a profile")
            .credentials("[default]\naws_access_key_id = AKIAHALF\n")
            .none(["aws_secret_access_key"]),
        row("the other half in a profile")
            .credentials("[default]\naws_secret_access_key = half\n")
            .none(["aws_access_key_id"]),
        row("AWS_ROLE_ARN without a token")
            .variable("AWS_ROLE_ARN", "arn")
            .none(["AWS_WEB_IDENTITY_TOKEN_FILE"]),
        row("a token without AWS_ROLE_ARN")
            .file("token", "t")
            .variable("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token")
            .none(["AWS_ROLE_ARN"]),
        row("no secret key").variable("AWS_ACCESS_KEY_ID", "{id}").none(["AWS_SECRET_ACCESS_KEY is not set"]),
        row("no key ID").variable("AWS_SECRET_ACCESS_KEY", "{secret}").none(["AWS_ACCESS_KEY_ID is not set"]),
        row("a blank secret key")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("AWS_SECRET_ACCESS_KEY", "  ")
            .none(["AWS_SECRET_ACCESS_KEY is blank"]),
        row("a blank key ID")
            .variable("AWS_ACCESS_KEY_ID", " ")
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}")
            .none(["AWS_ACCESS_KEY_ID is blank"]),
        row("the old name of the secret key")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("SECRET_ACCESS_KEY", "{secret}")
            .none(["AWS_SECRET_ACCESS_KEY is not set"]),
    ])
    .await;
}

/// boto reads all of these; the SDK ignores them.
#[tokio::test]
async fn sections_that_the_sdk_does_not_see() {
    check_all(vec![
        none("[p] in the config file", ["line 1 of ", ".aws/config has [p]: write [profile p]"])
            .config("[p]\n{other}")
            .named("p"),
        none("[p] in the config file, by flag", ["line 3 of ", "has [p]: write [profile p]"])
            .config("[default]\nregion = x\n[p]\n{other}")
            .only("p"),
        none("[profile p] in the credentials file", [".aws/credentials has [profile p]: write [p]"])
            .credentials("[profile p]\n{other}")
            .named("p"),
        none("quotes", ["has [profile \"p\"]: write [profile p]"])
            .config("[profile \"p\"]\n{other}")
            .named("p"),
        none("single quotes", ["has [profile 'p']: write [profile p]"])
            .config("[profile 'p']\n{other}")
            .named("p"),
        none("quotes in the credentials file", ["has [\"p\"]: write [p]"])
            .credentials("[\"p\"]\n{other}")
            .named("p"),
        none("quotes around default", ["has [profile \"default\"]: write"])
            .config("[profile \"default\"]\n{other}"),
        none("[profile default] in the credentials file", ["has [profile default]: write [default]"])
            .credentials("[profile default]\n{other}"),
        none("a blank in a name", ["has [my prof]: the AWS SDK for Rust allows only"])
            .credentials("[my prof]\n{other}")
            .named("my prof"),
        none("a blank in a quoted name", ["has [profile 'my prof']: the AWS SDK for Rust allows only"])
            .config("[profile 'my prof']\n{other}")
            .named("my prof"),
        none(
            "credentials in a section that is not seen beside one that is",
            ["sees no credentials in the profile \"p\"", "has [profile p]: write [p]"],
        )
        .config("[profile p]\nregion = x\n")
        .credentials("[profile p]\n{other}")
        .named("p"),
        none(
            "source_profile in a section that is not seen",
            [
                "\"base\", which source_profile in the profile \"default\" asks for",
                "has [base]: write [profile base]",
            ],
        )
        .config(&format!("[default]\n{ROLE}\nsource_profile = base\n[base]\n{{other}}")),
    ])
    .await;
}

#[tokio::test]
async fn files_that_the_sdk_cannot_read() {
    let utf_16: Vec<u8> = "[default]\nregion = x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let huge = "# a comment\n".repeat(400_000);
    check_all(vec![
        none(
            "Latin-1 in the config file",
            ["cannot read the profiles in ", ".aws/config: line 2 is not UTF-8"],
        )
        .file(CONFIG, b"[default]\n# M\xFCller\n")
        .credentials("[default]\n{other}"),
        none("Latin-1 in the credentials file", [".aws/credentials: line 1 is not UTF-8"])
            .file(CREDENTIALS, b"# M\xFCller\n"),
        none("UTF-16", [".aws/config: it holds a zero byte"]).file(CONFIG, utf_16),
        none("a byte order mark", [".aws/config: line 1: save the file without a byte order mark"])
            .file(CONFIG, "\u{FEFF}[default]\nregion = x\n"),
        none("indented settings", ["line 2", "remove the white space at its beginning"])
            .config("[default]\n  region = x\n"),
        none("a colon", ["line 2", "write = instead of :"]).config("[default]\nregion: x\n"),
        none("a section without its end", ["line 1", "must end with ']'"]).config("[default\n{other}"),
        none("a setting before any section", ["line 1", "Expected a profile definition"])
            .config("region = x\n[default]\n{other}"),
        none("a huge file", [".aws/config: it is longer than 1 MiB"]).config(&huge),
    ])
    .await;
}

#[tokio::test]
async fn what_only_other_tools_read_causes_a_warning() {
    check_all(vec![
        row("AWS_DEFAULT_PROFILE")
            .credentials("[p]\n{other}")
            .variable("AWS_DEFAULT_PROFILE", "p")
            .instance()
            .warns("AWS_DEFAULT_PROFILE is ignored"),
        row("AWS_DEFAULT_PROFILE that says default").variable("AWS_DEFAULT_PROFILE", "default").instance(),
        row("AWS_DEFAULT_PROFILE beside AWS_PROFILE")
            .credentials("[p]\n{wanted}")
            .named("p")
            .variable("AWS_DEFAULT_PROFILE", "q"),
        row("aws_security_token")
            .credentials("[default]\naws_security_token = t0k3n\n{wanted}")
            .warns("aws_security_token in the profile is ignored"),
        row("AWS_SECURITY_TOKEN")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}")
            .variable("AWS_SECURITY_TOKEN", "t0k3n")
            .warns("AWS_SECURITY_TOKEN is ignored"),
    ])
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn variables_that_are_not_utf_8() {
    use std::os::unix::ffi::OsStringExt;
    let latin_1 = || std::ffi::OsString::from_vec(b"M\xFCller".to_vec());
    check_all(vec![
        row("AWS_PROFILE")
            .credentials("[default]\n{other}")
            .variable("AWS_PROFILE", latin_1())
            .none(["AWS_PROFILE is not UTF-8"]),
        row("AWS_ACCESS_KEY_ID")
            .variable("AWS_ACCESS_KEY_ID", latin_1())
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}")
            .none(["AWS_ACCESS_KEY_ID is not UTF-8"]),
        row("AWS_SECRET_ACCESS_KEY")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("AWS_SECRET_ACCESS_KEY", latin_1())
            .none(["AWS_SECRET_ACCESS_KEY is not UTF-8"]),
        row("AWS_SESSION_TOKEN")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}")
            .variable("AWS_SESSION_TOKEN", latin_1())
            .none(["AWS_SESSION_TOKEN is not UTF-8"]),
        none("AWS_CONFIG_FILE", ["there is no such file, but AWS_CONFIG_FILE names it"])
            .variable("AWS_CONFIG_FILE", latin_1()),
    ])
    .await;
}

/// From each of these boto reads something else than the SDK, or the SDK reads nothing and says nothing.
#[tokio::test]
async fn what_the_sdk_reads_differently() {
    let keys = |name: &str| format!("[{name}]\n{{other}}");
    check_all(vec![
        none(
            "credential_source beside static keys",
            ["the AWS SDK would use credential_source without assuming a role", "\"default\""],
        )
        .credentials("[default]\n{other}credential_source = Ec2InstanceMetadata\n"),
        none(
            "credential_source beside a web identity",
            ["the AWS SDK would use credential_source without assuming a role"],
        )
        .file("token", "t")
        .config(&format!(
            "[default]\n{ROLE}\nweb_identity_token_file = token\ncredential_source = Ec2InstanceMetadata\n"
        )),
        none(
            "two sections that differ in blanks",
            [".aws/config: line 4: [profile  x] begins the same section as line 1"],
        )
        .config("[profile x]\n{other}[profile  x]\n{wanted}")
        .named("x"),
        none("[default] twice", ["line 4: [ default ] begins the same section as line 1"])
            .credentials("[default]\n{other}[ default ]\n{wanted}"),
        none("[default] and [profile default]", ["begins the same section as line 1: join them"])
            .config("[default]\n{other}[profile default]\n{wanted}"),
        none("[Default]", ["line 1: write Default in lower case"]).credentials(&keys("Default")),
        none("[Profile default]", ["line 1: write Profile in lower case"]).config(&keys("Profile default")),
        none("a colon and an equals sign", ["line 2: write = instead of :"])
            .config("[default]\ncredential_process: /opt/x --role=things\n"),
        none("a colon in the session token", ["line 2: write = instead of :"])
            .credentials("[default]\naws_session_token: ABC==\n{other}"),
        none(
            "a no-break space before a setting",
            ["line 2: the name of the setting contains a blank or a character"],
        )
        .credentials("[default]\n\u{A0}aws_access_key_id = AKIAX\n"),
        none(
            "a form feed before a setting",
            ["line 2: the name of the setting contains a blank or a character"],
        )
        .credentials("[default]\n\u{C}aws_access_key_id = AKIAX\n"),
        none(
            "export before a setting",
            ["line 2: the name of the setting contains a blank or a character that is not allowed"],
        )
        .credentials("[default]\nexport AWS_ACCESS_KEY_ID=AKIAX\n"),
        none("quotes around a setting", ["line 2: the name of the setting contains a blank or a character"])
            .credentials("[default]\n\"aws_access_key_id\"=AKIAX\n"),
        none("a carriage return alone", ["line 1: it has a carriage return before its end"])
            .credentials("# mine\r[default]\r{other}"),
        none("a carriage return alone before a section", ["it has a carriage return before its end"])
            .credentials("[b]\n{other}# production\r[default]\n{wanted}")
            .named("b"),
        none("an indented key after a setting", ["line 3: remove the white space at its beginning"])
            .config("[default]\nregion = eu-west-1\n  aws_access_key_id = AKIAX\n"),
        none("an indented section", ["line 3: remove the white space at its beginning"])
            .config("[a]\nregion = eu-west-1\n  [default]\n{other}"),
        none(
            "a command that is cut at #",
            ["line 2: the AWS SDK reads # or ; as the beginning of a comment"],
        )
        .config("[default]\ncredential_process = sh x --role #2 admin\n"),
        none(
            "a command that is cut at ;",
            ["line 2: the AWS SDK reads # or ; as the beginning of a comment"],
        )
        .config("[default]\ncredential_process = cat one ; cat two\n"),
        none("static keys and a command", ["both credential_process and aws_access_key_id"])
            .config("[default]\ncredential_process = cat x\n")
            .credentials(&keys("default")),
        none(
            "a key pair over two files",
            [".aws/config has only half of the key pair", "into the same file"],
        )
        .config("[default]\naws_access_key_id = AKIAX\n")
        .credentials("[default]\naws_secret_access_key = x\n"),
        none("a key pair with one half replaced", [".aws/credentials has only half of the key pair"])
            .config(&keys("default"))
            .credentials("[default]\naws_access_key_id = AKIAX\n"),
        none("keys left empty", ["aws_access_key_id is empty in the profile \"default\""])
            .credentials("[default]\naws_access_key_id =\naws_secret_access_key =\n"),
        none("a role left empty", ["role_arn is empty"])
            .config("[default]\nrole_arn =\ncredential_source = Ec2InstanceMetadata\n"),
        none("AWS_ROLE_ARN left empty", ["AWS_ROLE_ARN is not set, but AWS_WEB_IDENTITY_TOKEN_FILE is"])
            .file("token", "t")
            .variable("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token")
            .variable("AWS_ROLE_ARN", ""),
        none("an empty token file", ["token: it is empty"])
            .file("token", "")
            .variable("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token")
            .variable("AWS_ROLE_ARN", "arn"),
        none(
            "AWS_SHARED_CREDENTIALS_FILE that is not there",
            ["gone: there is no such file, but AWS_SHARED_CREDENTIALS_FILE names it"],
        )
        .credentials(&keys("default"))
        .variable("AWS_SHARED_CREDENTIALS_FILE", "{home}/gone"),
        none("AWS_CONFIG_FILE that was not expanded", ["${HOME}/config: there is no such file"])
            .variable("AWS_CONFIG_FILE", "${HOME}/config"),
        none("a chain without end", ["source_profile links more than 10 profiles, beginning with \"p0\""])
            .config(
                &(0..20)
                    .map(|n| format!("[profile p{n}]\n{ROLE}\nsource_profile = p{}\n", n + 1))
                    .collect::<String>(),
            )
            .named("p0"),
    ])
    .await;
}
