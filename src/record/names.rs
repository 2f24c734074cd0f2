//! Field names: as sources write them, their ECS aliases, and which of them say who and what a record is about.
//! Source: Elastic Common Schema 8; Office 365 Management Activity API schema; W3C Extended Log File Format.

/// Fields copied into a sighting where a record has them, as the sources write them.
pub const ENTITY_FIELDS: &[&str] = &[
    // Unified Audit Log and its exports.
    "UserId",
    "UserIds",
    "UserKey",
    "MailboxOwnerUPN",
    "Operation",
    "Operations",
    "Workload",
    "ResultStatus",
    "ClientIP",
    "ClientIPAddress",
    "ActorIpAddress",
    "ActorIP",
    "AppId",
    "ClientAppId",
    "ClientInfoString",
    "SessionId",
    "Id",
    "RecordId",
    "ObjectId",
    "InternetMessageId",
    "OperationProperties.MailAccessType",
    "OperationProperties.IsThrottled",
    "AppAccessContext.UniqueTokenId",
    // Entra ID sign-ins.
    "userPrincipalName",
    "Username",
    "User",
    "ipAddress",
    "IP address",
    "callerIpAddress",
    "operationName",
    "correlationId",
    "Request ID",
    "Unique token identifier",
    "Application ID",
    // Defender and Sentinel.
    "ActionType",
    "AccountUpn",
    "AccountDisplayName",
    "DeviceName",
    "RemoteIP",
    "RemoteUrl",
    // Mail and message traces.
    "From",
    "To",
    "Cc",
    "Subject",
    "Message-ID",
    "Date",
    "MessageId",
    "message_id",
    "SenderAddress",
    "sender_address",
    "RecipientAddress",
    "recipient_address",
    "message_subject",
    "FromIP",
    // W3C and Exchange proxy logs.
    "cs-username",
    "c-ip",
    "cs-method",
    "cs-uri-stem",
    "cs-uri-query",
    "cs(User-Agent)",
    "sc-status",
    "AuthenticatedUser",
    "ClientIpAddress",
    "UserAgent",
    "RequestId",
];

/// ECS names, each with the names that sources use for it.
const ECS: &[(&str, &[&str])] = &[
    (
        "source.ip",
        &[
            "ClientIP",
            "ClientIPAddress",
            "Client_IPAddress",
            "ActorIpAddress",
            "ActorIP",
            "SenderIp",
            "c-ip",
            "cIp",
            "callerIpAddress",
            "ipAddress",
            "IP address",
            "RemoteIP",
            "FromIP",
            "original_client_ip",
        ],
    ),
    ("destination.ip", &["s-ip", "ToIP", "DestinationIP", "ServerIp"]),
    (
        "user.name",
        &[
            "UserId",
            "UserIds",
            "userPrincipalName",
            "Username",
            "cs-username",
            "AuthenticatedUser",
            "AccountUpn",
            "User",
        ],
    ),
    (
        "user.email",
        &["UserId", "UserIds", "MailboxOwnerUPN", "userPrincipalName", "Username", "cs-username", "AccountUpn"],
    ),
    ("event.action", &["Operation", "Operations", "operationName", "ActionType", "ProtocolAction", "cs-method"]),
    ("event.outcome", &["ResultStatus", "resultType", "Status", "sc-status"]),
    ("event.id", &["Id", "RecordId", "Identity", "Request ID"]),
    ("email.message_id", &["Message-ID", "InternetMessageId", "MessageId", "message_id"]),
    ("email.subject", &["Subject", "message_subject"]),
    ("email.from.address", &["From", "SenderAddress", "sender_address"]),
    ("email.sender.address", &["Sender", "SenderAddress", "sender_address"]),
    ("email.to.address", &["To", "RecipientAddress", "recipient_address"]),
    ("email.cc.address", &["Cc"]),
    ("email.bcc.address", &["Bcc"]),
    ("email.reply_to.address", &["Reply-To"]),
    ("email.x_mailer", &["X-Mailer"]),
    (
        "user_agent.original",
        &[
            "UserAgent",
            "cs(User-Agent)",
            "User agent",
            "ExtendedProperties.UserAgent",
            "ClientInfoString",
            "User-Agent",
        ],
    ),
    ("url.original", &["RemoteUrl", "Url", "request.url"]),
    ("url.path", &["cs-uri-stem", "UrlStem"]),
    ("url.query", &["cs-uri-query", "UrlQuery"]),
    ("http.request.method", &["cs-method", "Method"]),
    ("http.response.status_code", &["sc-status", "HttpStatus"]),
    ("host.name", &["DeviceName", "ServerHostName", "s-computername"]),
    (
        "@timestamp",
        &["CreationTime", "CreationDate", "createdDateTime", "TimeGenerated", "Timestamp", "time", "Date", "DateTime"],
    ),
];

/// Names around a record that tell nothing: what they hold is asked for with or without them.
const TRANSPARENT: &[&str] = &["AuditData.", "RawEventData.", "properties.", "AdditionalFields."];

/// Returns the names that sources use for an ECS name; empty where it is none.
pub fn source_names(ecs: &str) -> &'static [&'static str] {
    let ecs = ecs.trim();
    ECS.iter().find(|(name, _)| name.eq_ignore_ascii_case(ecs)).map_or(&[], |(_, names)| names)
}

/// Tells whether a field's path is the one that a predicate asks for, by its own name or an ECS name.
///
/// Letter case (ASCII) and the spaces around a name do not count, nor do the names in which exports wrap a record:
/// `Operation` is also `AuditData.Operation`.
pub fn field_matches(asked: &str, path: &str) -> bool {
    let (asked, path) = (plain_name(asked), plain_name(path));
    asked.eq_ignore_ascii_case(path) || source_names(asked).iter().any(|name| name.eq_ignore_ascii_case(path))
}

/// Returns a field's path without the names in which exports wrap a record, and without the spaces around it.
pub fn plain_name(path: &str) -> &str {
    let mut name = path.trim();
    while let Some(inner) = TRANSPARENT.iter().find_map(|wrapper| strip_prefix_ignoring_case(name, wrapper)) {
        name = inner;
    }
    name
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_inside_its_wrapper_and_no_deeper() {
        assert!(field_matches("Operation", "Operation"));
        assert!(field_matches("operation", "AuditData.Operation"));
        assert!(field_matches("AuditData.Operation", "Operation"));
        assert!(field_matches("ipAddress", "RawEventData.properties.ipAddress"));
        assert!(field_matches("Application ID", "Application ID "));
        assert!(!field_matches("Id", "Folders.Id"));
        assert!(!field_matches("Operation", "Operations"));
        assert!(!field_matches("Operation", "XAuditData.Operation"));
        assert!(!field_matches("ü", "AuditDat"));
    }

    #[test]
    fn ecs_names_stand_for_the_names_of_sources() {
        assert!(field_matches("source.ip", "AuditData.ClientIPAddress"));
        assert!(field_matches("source.ip", "c-ip"));
        assert!(field_matches("source.ip", "source.ip"));
        assert!(field_matches("user_agent.original", "ExtendedProperties.UserAgent"));
        assert!(!field_matches("source.ip", "s-ip"));
        assert!(!field_matches("c-ip", "source.ip"));
        assert!(source_names("OriginatingServer").is_empty());
    }
}
