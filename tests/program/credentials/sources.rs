//! Each source, end to end: its key, and no other, signs the upgrade, and no secret is shown.

use crate::credentials::setup::{gateway_knowing, program, run_with_logs, signers};
use crate::credentials::source::Source::{self, *};
use crate::credentials::source::{
    ACCESS_TOKEN, CONFIG, CONTAINER_TOKEN, CREDENTIALS, LOGIN_REFRESH_TOKEN, ROLE_ARN, base, keys,
};
use crate::stand_ins::{StandIn, line, metadata};

const ORDER: [Source; 6] = [Flags, Environment, Profile, WebIdentity, Container, Metadata];
const ROLE: &str = "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FThings";
const OTHER_PROFILES: [Source; 5] = [Process, Role, SignIn, Renewal, LoginRenewal];

/// Whatever could be asked later is set up too.
#[tokio::test]
async fn each_source_is_asked_alone_and_shows_no_secret() {
    let sources = ORDER.into_iter().chain(OTHER_PROFILES).collect::<Vec<_>>();
    for source in sources.iter().copied() {
        let keys = sources.iter().map(|source| source.key()).collect::<Vec<_>>();
        let gateway = gateway_knowing(keys).await;
        let (mut program, mut services) = (program(&gateway), Vec::new());
        for later in ORDER.into_iter().skip_while(|other| other.name() != source.name()).skip(1) {
            let (with_later, service) = later.provide(program).await;
            program = with_later;
            services.extend(service);
        }
        let (program, service) = source.provide(program).await;
        let outcome = run_with_logs(program, &gateway, source).await;
        assert_eq!(outcome.code, 0, "{source:?}: {outcome:#?}");
        assert_eq!(signers(&gateway), [(source.key().access_key, source.key().session_token)], "{source:?}");
        assert!(outcome.stdout.contains(&format!(" from the {}\n", source.name())), "{outcome:#?}");
        assert!(!outcome.stderr.contains("warning: "), "{source:?}: {outcome:#?}");
        assert!(services.iter().all(|later| later.asked().is_empty()), "later than {source:?}");

        let asked = service.iter().flat_map(StandIn::asked).collect::<Vec<_>>();
        let lines = source.answers().into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(asked.iter().map(|asked| line(asked)).collect::<Vec<_>>(), lines, "{source:?}");
        let base = base().access_key;
        for text in match source {
            // STS is asked in the region of `--region`, since no profile names one.
            Role => vec!["Action=AssumeRole&", ROLE, &base, "/eu-central-1/sts/aws4_request"],
            WebIdentity => vec!["webIdentityTokenOfTheTest", ROLE],
            SignIn | Renewal => vec![ACCESS_TOKEN],
            LoginRenewal => vec![LOGIN_REFRESH_TOKEN, "dpop: "],
            Container => vec![CONTAINER_TOKEN],
            Metadata => vec![metadata::TOKEN],
            _ => vec![],
        } {
            assert!(asked.concat().contains(text), "{text}: {asked:?}");
        }
    }
}

/// AWS SDKs and Tools reference guide, "Service-specific endpoints".
#[tokio::test]
async fn sts_is_asked_in_the_region_and_at_the_endpoint_of_the_profile() {
    let source = Role;
    let gateway = gateway_knowing([source.key()]).await;
    let sts = StandIn::with(source.answers()).await;
    let settings = format!("region = ap-southeast-2\nendpoint_url = {}\n", sts.url());
    let config = format!("[profile things]\nrole_arn = {ROLE_ARN}\nsource_profile = base\n{settings}");
    let program =
        program(&gateway).file(CONFIG, &config).file(CREDENTIALS, &format!("[base]\n{}", keys(&base())));
    let program = program.without("AWS_ENDPOINT_URL").args(["--profile", "things"]);
    // If the endpoint were ignored, the request would still stay on this machine.
    let outcome = program.env("HTTPS_PROXY", "http://127.0.0.1:9").run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    let asked = sts.asked().concat();
    assert!(asked.contains("/ap-southeast-2/sts/aws4_request"), "{asked}");
}
